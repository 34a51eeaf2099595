"""`hier audit bundle`: all the evidence about a version in one archive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable


def bundle(
    domain: Annotated[str, typer.Argument(help="A published target domain.")],
    version: Annotated[
        int | None, typer.Option(min=1, help="A version of `live`; default: that in force.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--out", help="The archive; default: DOMAIN_vN.zip in the working directory."),
    ] = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Write all the evidence about a version into one archive: a page, records, a model card, a verifier.

    HIER_SIGNING_KEY, where it is set, names the Ed25519 key that signs it.
    """
    from hier_dag.audit.bundle import declared, write_bundle
    from hier_dag.audit.bundle.verify import BUNDLE, STATEMENT, read
    from hier_dag.cli.model_card import earned_in
    from hier_dag.cli.places import registry_of, state_of
    from hier_dag.store import ArtifactStore

    name = readable(domain, "DOMAIN")
    config, home = state_of(domains)
    path = write_bundle(
        ArtifactStore(home.store),
        registry_of(home),
        home,
        name,
        file,
        version=version,
        declared=declared(config.model_dump(mode="json")),
        earned=earned_in(config, home, name),
    )
    files = read(path)
    record, about = (json.loads(files[n]) for n in (BUNDLE, STATEMENT))
    told = {
        "file": str(path),
        "files": len(files),
        "bytes": path.stat().st_size,
        **{key: record[key] for key in ("platform", "domain", "version", "digest", "signed_by")},
        "statement": about["subject"][0]["digest"]["sha256"],
    }
    if as_json:
        print_json(told)
        return
    out.print(f"Written: {path}", markup=False, highlight=False, soft_wrap=True)
    signed = f"signed by {told['signed_by']}" if told["signed_by"] else "not signed"
    out.print(
        f"{name} version {told['version']}: {told['files']} files, {told['bytes']:,} bytes, {signed}; "
        f"digest of the statement {told['statement']}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
