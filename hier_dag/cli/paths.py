"""`hier paths`: the decision paths of a platform, and which of them carry one score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable
from hier_dag.errors import UsageError

if TYPE_CHECKING:
    from hier_dag.evaluate.interpret.platform import PlatformPaths


def paths(
    domain: Annotated[str | None, typer.Argument(help="A published target domain.")] = None,
    user: Annotated[str | None, typer.Argument(help="Original user id.")] = None,
    item: Annotated[
        str | None, typer.Argument(help="Original item id; without it, the user's best recommendation.")
    ] = None,
    most: Annotated[int, typer.Option("-n", min=1, help="How many intents or paths to show.")] = 12,
    folder: Annotated[Path | None, typer.Option("--out", help="Write the pictures into a folder.")] = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Show intents, exemplars and the paths between them by name; or what carries one user's score."""
    if domain is None:
        _overview(most, folder, domains, as_json)
        return
    if user is None:
        raise UsageError(
            "whose score?", fix="name a user too: hier paths DOMAIN USER [ITEM]; or none: hier paths"
        )
    item = None if item is None else readable(item, "ITEM")
    _one(readable(domain, "DOMAIN"), readable(user, "USER"), item, most, folder, domains, as_json)


def _overview(most: int, folder: Path | None, domains: str | None, as_json: bool) -> None:
    from hier_dag.cli.path_view import families_table, intents_table
    from hier_dag.cli.places import registry_of, state_of
    from hier_dag.lineage.carried import paths_of
    from hier_dag.pipeline.stages import ENCODER
    from hier_dag.store import ArtifactStore

    config, home = state_of(domains)
    registry = registry_of(home)
    encoder = registry.latest(ENCODER, None)
    if encoder is None:
        raise UsageError(f"platform {config.platform} has no encoder yet.", fix="run: hier run")
    graph = registry.parents(encoder)["graph"]
    told = paths_of(ArtifactStore(home.store), encoder, graph, config.source_names, config.target_names)
    written = _pictures(told, folder) if folder else []
    if as_json:
        head = {"platform": config.platform, "encoder": encoder}
        print_json({**head, **told.as_dict(), "files": [str(file) for file in written]})
        return
    out.print(families_table(told.reading, most))
    out.print(intents_table(told, most))
    _tell(written)


def _pictures(told: PlatformPaths, folder: Path) -> list[Path]:
    from hier_dag.evaluate.interpret.flow_picture import flow_png
    from hier_dag.evaluate.interpret.strength_picture import strength_png

    pictures = {
        "paths.png": flow_png(told.reading),
        "intents_by_domain.png": strength_png(told.reading, told.strength, told.domains, told.sources),
    }
    return _written(pictures, folder)


def _one(
    domain: str,
    user: str,
    item: str | None,
    most: int,
    folder: Path | None,
    domains: str | None,
    as_json: bool,
) -> None:
    from hier_dag.cli.path_view import carried_picture, paths_table, terms_table
    from hier_dag.cli.places import home_publishing, live_of
    from hier_dag.lineage.carried import carried
    from hier_dag.store import ArtifactStore

    home = home_publishing(domain, domains)
    found = carried(ArtifactStore(home.store), live_of(home, domain), user, item)
    written = []
    if folder:
        written = _written({f"{domain}.png": carried_picture(found, most)}, folder)
    if as_json:
        print_json({**found.as_dict(), "files": [str(file) for file in written]})
        return
    out.print(terms_table(found))
    if found.explanation.paths:
        out.print(paths_table(found, most))
    _tell(written)


def _written(pictures: dict[str, bytes], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, png in pictures.items():
        (folder / name).write_bytes(png)
    return [folder / name for name in pictures]


def _tell(written: list[Path]) -> None:
    for file in written:
        out.print(f"Written: {file}", markup=False, highlight=False, soft_wrap=True)
