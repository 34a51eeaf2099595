"""Writes the bundle of a version: equal states give equal bytes under one key, or under none."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pacsv

from hier_dag.audit.bundle import verify
from hier_dag.audit.bundle.archive import archive
from hier_dag.audit.bundle.contents import contents
from hier_dag.audit.bundle.envelope import envelope
from hier_dag.audit.bundle.page import bundle_page
from hier_dag.audit.card.card import card_files
from hier_dag.audit.card.html import html
from hier_dag.audit.evidence.declared import Declared
from hier_dag.audit.evidence.events import events
from hier_dag.audit.evidence.subject import Subject, subject_of
from hier_dag.digest import canonical_json
from hier_dag.durable import replace_file
from hier_dag.home import Home
from hier_dag.registry import Registry
from hier_dag.registry.signing import signer
from hier_dag.store import ArtifactStore
from hier_dag.store.failures import told

if TYPE_CHECKING:
    from hier_dag.evaluate.ablation_section import Earned

PAGE, METRICS, VERIFIER = "index.html", "metrics.csv", "verify.py"


def write_bundle(
    store: ArtifactStore,
    registry: Registry,
    home: Home,
    domain: str,
    out: Path | None = None,
    *,
    version: int | None = None,
    declared: Declared | None = None,
    earned: Sequence[Earned] | None = None,
) -> Path:
    """Writes all the evidence about a version of a domain into one zip archive.

    HIER_SIGNING_KEY, where it is set, signs the statement over the archive's files and the set's. With
    another key, or none, `signed_by` in bundle.json, the page and thus the statement are others too,
    besides the envelope: equal states give equal bytes under one key.

    Args:
        store: of the platform.
        registry: of the platform.
        home: of the platform.
        domain: the target domain.
        out: the archive, replaced as a whole; None for <domain>_v<version>.zip in the working directory.
        version: number of a version of `live`; None for the one in force.
        declared: what the declaration says of data and people.
        earned: what each module earns in the domain, where the ablation study was run.

    Returns:
        The archive's path.

    Raises:
        UsageError: there is no such domain or version.
        StoreError: an artifact is damaged or not on record, or the disk refuses.
    """
    about = subject_of(store, registry, home.platform, domain, version, declared)
    path = out or Path(f"{domain}_v{about.row.version}.zip")
    data = archive(bundle_files(about, earned))
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)
    return path


def bundle_files(about: Subject, earned: Sequence[Earned] | None = None) -> dict[str, bytes]:
    """Every file of a bundle, by name.

    Args:
        about: the version.
        earned: what each module earns in the domain, where the ablation study was run.
    """
    lines, signing = events(about.registry, about.domain, about.made), signer()
    record = contents(about, lines, signing.key_id if signing else None)
    files = {
        verify.BUNDLE: canonical_json(record),
        verify.EVENTS: b"".join(canonical_json(line) + b"\n" for line in lines),
        VERIFIER: Path(verify.__file__).read_bytes(),
        **_copies(about),
        **_environments(about),
        **card_files(about, earned),
        **({} if about.records is None else {METRICS: _csv(about.records)}),
    }
    files[PAGE] = html(bundle_page(about, record, sorted(files), earned)).encode()
    covered = verify.covered(files, about.published.row.manifest)
    files[verify.STATEMENT] = verify.statement(verify.subject(record), covered)
    if signing is not None:
        files[verify.ENVELOPE] = envelope(files[verify.STATEMENT], signing)
    return files


def _copies(about: Subject) -> dict[str, bytes]:
    """Manifests, and copies of the small files that are evidence."""
    files = {}
    for one in about.made:
        files[f"{verify.MANIFESTS}{one.row.digest}.json"] = canonical_json(one.row.manifest)
        for name in verify.COPIED:
            if (data := one.file(name)) is not None:
                files[f"{verify.EVIDENCE}{one.row.digest}/{name}"] = data
    return files


def _environments(about: Subject) -> dict[str, bytes]:
    files = {}
    for digest in sorted({one.row.environment for one in about.made}):
        if (facts := about.registry.environment(digest)) is not None:
            files[f"{verify.ENVIRONMENTS}{digest}.json"] = canonical_json(facts)
    return files


def _csv(records: pa.Table) -> bytes:
    out = io.BytesIO()
    pacsv.write_csv(records, out)
    return out.getvalue()
