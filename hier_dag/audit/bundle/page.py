"""The page of a bundle: what a person wants to know first, and all the rest below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hier_dag.audit.bundle import verify
from hier_dag.audit.bundle.changes import changes_part
from hier_dag.audit.bundle.origin_parts import environment, files_part, made_of_part
from hier_dag.audit.bundle.record_parts import checks, data, decisions, leakage, versions
from hier_dag.audit.card.card import HTML, chips, lead, verdict_words
from hier_dag.audit.card.limits import limits
from hier_dag.audit.card.parts import Page, Part
from hier_dag.audit.card.quality import quality
from hier_dag.audit.evidence.subject import Subject

if TYPE_CHECKING:
    from hier_dag.evaluate.ablation_section import Earned

Record = Mapping[str, Any]


def bundle_page(
    about: Subject, record: Record, files: Sequence[str], earned: Sequence[Earned] | None
) -> Page:
    """The page.

    Args:
        about: the version.
        record: what `bundle.json` holds.
        files: names of the bundle's files.
        earned: what each module earns in the domain, where the ablation study was run.
    """
    shown = about.figures
    parts = (
        versions(record), changes_part(record["changes"]), quality(shown), limits(about, shown, earned),
        made_of_part(about, record), data(record), checks(record["checks"]), leakage(record["leakage"]),
        decisions(record), environment(about, record), files_part(about, record), _how(record),
    )  # fmt: skip
    cards = [n for n in files if n.endswith("/card.html")]
    links = [("Model card", HTML), *(("Report card with every baseline", name) for name in cards)]
    counts = f"{len(record['checks'])} checks, {sum(not c['passed'] for c in record['checks'])} failed"
    return Page(
        title=f"Evidence: {about.title}, version {about.row.version}",
        lead=lead(about),
        verdict=verdict_words(shown),
        chips=(*chips(about), counts),
        parts=parts,
        links=(*links, ("bundle.json", verify.BUNDLE)),
    )


def _how(record: Record) -> Part:
    log = record["events"]
    signed = (
        "The bundle is not signed."
        if record["signed_by"] is None
        else f"The statement is signed by the key {record['signed_by']} (statement.dsse.json)."
    )
    text = (
        "verify.py needs Python alone. It looks that the statement covers every file and no other, that each "
        "manifest matches its digest, names its parents and has its event, that copies are those that "
        "manifests name, that the events' hashes match, and that bundle.json says what follows from these. "
        "With --store it reads every byte of the artifacts. Whoever may have changed the bundle may have "
        "changed verify.py: take it from a place that you trust, or compare the digest that it prints. "
        "Without a key it is not proven who wrote this; and in no case that no event was left out, nor facts "
        "of checks, figures, erasures and terms of use: hier audit verify looks at the whole log.",
        f"{log['count']} events of the registry's log are here. The last one is event "
        f"{log['last']['seq']}, of hash {log['last']['hash']}. {signed}",
    )
    commands = (
        "python verify.py",
        "python verify.py --store HIER_HOME/PLATFORM/store",
        "python verify.py --key key.pub",
    )
    return Part("How to check this bundle", text, commands=commands)
