"""`hier audit card`: the model card of a version."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable

if TYPE_CHECKING:
    from hier_dag.config import PlatformConfig
    from hier_dag.evaluate.ablation_section import Earned
    from hier_dag.home import Home


def card(
    domain: Annotated[str, typer.Argument(help="A published target domain.")],
    version: Annotated[
        int | None, typer.Option(min=1, help="A version of `live`; default: that in force.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="Write the card as Markdown and HTML, and its pictures, into a folder."),
    ] = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Show the model card of a version: use, data, figures, limits, going back. HTML too with --out."""
    from hier_dag.audit.card.card import MARKDOWN, card_files
    from hier_dag.audit.evidence.declared import declared
    from hier_dag.audit.evidence.subject import subject_of
    from hier_dag.cli.places import registry_of, state_of
    from hier_dag.store import ArtifactStore

    name = readable(domain, "DOMAIN")
    config, home = state_of(domains)
    about = subject_of(
        ArtifactStore(home.store),
        registry_of(home),
        home.platform,
        name,
        version,
        declared(config.model_dump(mode="json")),
    )
    files = card_files(about, earned_in(config, home, name))
    written = _write(files, folder) if folder else []
    if as_json:
        told = {"domain": name, "version": about.row.version, "digest": about.row.digest, "files": written}
        print_json({**told, "card": files[MARKDOWN].decode()})
    elif folder:
        for path in written:
            out.print(f"Written: {path}", markup=False, highlight=False, soft_wrap=True)
    else:
        out.file.write(files[MARKDOWN].decode())


def _write(files: dict[str, bytes], folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [str(folder / name) for name in files]


def earned_in(config: PlatformConfig, home: Home, domain: str) -> Sequence[Earned] | None:
    """What each module earns in a domain, where cells of the ablation study are there."""
    from hier_dag.pipeline.stages import STUDY

    if not (home.store / "artifacts" / STUDY / "ablation").is_dir():
        return None
    from hier_dag.cli.report import earned_modules

    return earned_modules(config, home).get(domain)
