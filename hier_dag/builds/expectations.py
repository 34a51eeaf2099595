"""Statistical expectations of raw/events: profile, comparison with the last accepted version, Data Docs."""

from __future__ import annotations

from pathlib import Path

from ibis.backends.duckdb import Backend

from hier_dag.config import PlatformConfig
from hier_dag.errors import StoreError
from hier_dag.ingest.ledger import Ledger
from hier_dag.ingest.profile import PROFILE, EventProfile
from hier_dag.ingest.profile_scan import profile_events
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import EVENTS
from hier_dag.pipeline.workshop import Workshop
from hier_dag.store import Artifact
from schemas.expectations.docs import write_docs
from schemas.expectations.verdict import LastVersion, Verdict, judge_profile

_SHORT = 12


def ask_of_events(
    con: Backend,
    config: PlatformConfig,
    request: Request,
    ledger: Ledger,
    staged: Path,
    workshop: Workshop,
    docs: Path | None,
) -> Verdict:
    """Writes `profile.json` into the staged folder and asks the domain's expectations of it.

    What compares with an earlier version is in the checks alone: no file depends on what was there before.

    Args:
        con: the engine.
        config: the platform.
        request: for the events of one domain.
        ledger: of its ingest.
        staged: where the artifact is being written, its events already there.
        workshop: where the last accepted version is found.
        docs: folder of the Data Docs that get a page; None writes none.

    Raises:
        ConfigError: when a suite of the user's cannot be used.
    """
    domain = str(request.partition)
    profile = profile_events(con, sorted((staged / "events").glob("*.parquet")), ledger)
    profile.write(staged)
    last = _last_version(workshop, request)
    verdict = judge_profile(config, domain, profile, last)
    if docs is not None:
        verdict.checks[0].facts["data_docs"] = _page(docs, domain, verdict, last)
    return verdict


def judge_again(config: PlatformConfig, events: Artifact) -> Verdict | None:
    """What today's bounds say of events that were accepted already, by the profile stored with them.

    They are the last accepted version themselves, so that nothing is left to compare them with.

    Args:
        config: the platform.
        events: raw/events of one domain.

    Returns:
        The verdict; None where they were made before there were profiles.

    Raises:
        ConfigError: when a suite of the user's cannot be used.
        StoreError: when the profile cannot be read.
    """
    if not _has_profile(events):
        return None
    return judge_profile(config, str(events.manifest.partition), EventProfile.read(events.path), None)


def _page(docs: Path, domain: str, verdict: Verdict, last: LastVersion | None) -> str:
    blocks, warns = (not c.passed for c in verdict.checks)
    word = "blocked" if blocks else "warned" if warns else "accepted"
    against = "first" if last is None else last.digest[:_SHORT]
    try:
        return str(write_docs(docs, domain, verdict.result, verdict=word, against=against))
    except OSError as e:  # pages are a view: where they cannot be written, the facts are still recorded
        return f"not written: {e}"


def _last_version(workshop: Workshop, request: Request) -> LastVersion | None:
    digest = workshop.registry.latest(EVENTS, request.partition)
    if digest is None:
        return None
    try:
        last = workshop.open(EVENTS, digest)
        if not _has_profile(last):
            return None
        profile = EventProfile.read(last.path)
    except StoreError:
        return None
    same = last.manifest.params.get("behaviors") == request.params.get("behaviors")
    return LastVersion(digest, profile, same_weights=same)


def _has_profile(events: Artifact) -> bool:
    """Not where they were made before there were profiles."""
    return PROFILE in {f.path for f in events.manifest.files}
