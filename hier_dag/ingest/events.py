"""Canonical events of one domain: one Parquet file per raw file, reused while nothing before it changed.

The chain digest of a file covers the file, every file before it and what the values mean. Where the last
ingest has the same chain digest at the same place, its Parquet files are linked and the raw file is not
opened. Deduplication only ever looks backwards, so a new file never changes the output of the files before
it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from hier_dag.config.models import PlatformConfig
from hier_dag.config.sources import EventSource
from hier_dag.erasure.erased import Erased
from hier_dag.ingest.bursts import BurstRule
from hier_dag.ingest.canonical import EVENT_COLUMNS, KEY, judge
from hier_dag.ingest.corrections import Corrections, split_corrected
from hier_dag.ingest.erased_files import files_without
from hier_dag.ingest.erased_rows import ErasedRows
from hier_dag.ingest.fingerprint import RawInput
from hier_dag.ingest.ledger import FileLedger, Ledger
from hier_dag.ingest.limits import Limits, check_quarantined
from hier_dag.ingest.meaning import Meaning, latest_time, meaning
from hier_dag.ingest.readers import read_raw, reading
from hier_dag.ingest.writing import part_name, write_distinct

RULES_VERSION = 3  # raise it when a rule or the canonical form changes: nothing older is then reused
IDS = frozenset({"user_id", "item_id"})
Progress = Callable[[int, int, FileLedger], None]


@dataclass(frozen=True)
class PreviousEvents:
    """The last events artifact of the domain.

    Attributes:
        folder: where its files lie.
        ledger: its ledger.
    """

    folder: Path
    ledger: Ledger

    @classmethod
    def read(cls, folder: Path) -> PreviousEvents:
        """Opens an events artifact by its folder."""
        return cls(folder, Ledger.read(folder / "ledger.json"))


def ingest_domain(
    config: PlatformConfig,
    domain: str,
    inputs: list[RawInput],
    out: Path,
    *,
    con: Backend,
    as_of: datetime,
    previous: PreviousEvents | None = None,
    corrections: Corrections | None = None,
    erased: Erased | None = None,
    progress: Progress | None = None,
) -> Ledger:
    """Writes `events/`, `quarantine/` and `ledger.json` of one domain.

    Args:
        config: the platform.
        domain: the domain.
        inputs: its raw inputs, as `fingerprint` gives them.
        out: an empty folder.
        con: the engine.
        as_of: time of the build, which `future_time` is judged by; naive means UTC.
        previous: the domain's last events, to reuse what did not change.
        corrections: values given for quarantined rows.
        erased: users whose rows are left out, and not reused; None where nobody was erased.
        progress: called after each file with its index, the number of files and its ledger.

    Returns:
        The ledger that was written.

    Raises:
        SourceError: when a file cannot be read or lacks a column.
        ContractError: when too many rows are quarantined, or a row is unaccounted for.
    """
    (out / "events").mkdir(parents=True, exist_ok=True)
    meanings = [_meaning(config, domain, s) for s in config.domains[domain].sources]
    fixes = corrections or Corrections.none()
    chains = chain_digests(inputs, meanings, fixes)
    kept = _reusable(inputs, chains, previous, config, as_of)
    if erased is not None and previous is not None:
        # What later files repeat of an erased user is in the ledger alone, so that they are read again too.
        kept = files_without(con, previous.folder, [(i, inputs[i].sha256) for i in range(kept)], erased)
    files: list[FileLedger] = []
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".ingest-") as scratch:
        for index, raw in enumerate(inputs):
            if index < kept:
                assert previous is not None
                entry = _reuse(previous, index, out)
            else:
                m = meanings[raw.source]
                entry = _ingest_file(
                    config, con, inputs, index, m, chains[index], out, as_of, Path(scratch), fixes, erased
                )
            files.append(entry.check())
            if progress is not None:
                progress(index, len(inputs), entry)
    ledger = Ledger(domain, tuple(files))
    # Written first: where the domain is refused, the rows that it lost are kept with their ledger.
    ledger.write(out / "ledger.json")
    limits = Limits(
        config.max_quarantined(domain),
        config.max_quarantined_by_reason(domain),
        behaviors=tuple(config.domains[domain].behaviors or ()),
    )
    check_quarantined(con, ledger, limits, out)
    return ledger


def chain_digests(
    inputs: Sequence[RawInput], meanings: Sequence[Meaning], corrections: Corrections
) -> list[str]:
    """Chain digest of each input: sha256(chain before, file digest, meaning, corrections, rules)."""
    chains: list[str] = []
    for raw in inputs:
        link: dict[str, Any] = {
            "before": chains[-1] if chains else "",
            "sha256": raw.sha256,
            "location": raw.location,
            "format": raw.format,
            "meaning": meanings[raw.source].as_json(),
            "corrections": corrections.digest(raw.location, raw.sha256),
            "rules_version": RULES_VERSION,
        }
        chains.append(hashlib.sha256(json.dumps(link, sort_keys=True).encode()).hexdigest())
    return chains


def _meaning(config: PlatformConfig, domain: str, source: EventSource) -> Meaning:
    return meaning(source, config.domains[domain], config.stages.ingest, domain)


def _reusable(
    inputs: Sequence[RawInput],
    chains: Sequence[str],
    previous: PreviousEvents | None,
    config: PlatformConfig,
    as_of: datetime,
) -> int:
    """How many files from the start may be taken over."""
    if previous is None:
        return 0
    now = latest_time(config.stages.ingest, as_of) - timedelta(days=config.stages.ingest.max_future_days)
    for index, (raw, chain, old) in enumerate(zip(inputs, chains, previous.ledger.files, strict=False)):
        part = previous.folder / "events" / part_name(index, raw.sha256)
        if chain != old.chain or not _holds(old, now) or not part.is_file():
            return index
    return min(len(inputs), len(previous.ledger.files))


def _holds(entry: FileLedger, now: datetime) -> bool:
    """Whether a build at `now` would accept the same rows of the file."""
    since = entry.holds_from is None or datetime.fromisoformat(entry.holds_from) <= now
    return since and (entry.holds_until is None or now < datetime.fromisoformat(entry.holds_until))


def _reuse(previous: PreviousEvents, index: int, out: Path) -> FileLedger:
    entry = previous.ledger.files[index]
    name = part_name(index, entry.sha256)
    for folder in ("events", "quarantine") if entry.quarantined else ("events",):
        (out / folder).mkdir(exist_ok=True)
        source, target = previous.folder / folder / name, out / folder / name
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without hard links
            shutil.copyfile(source, target)
    return entry


def _ingest_file(
    config: PlatformConfig,
    con: Backend,
    inputs: Sequence[RawInput],
    index: int,
    m: Meaning,
    chain: str,
    out: Path,
    as_of: datetime,
    scratch: Path,
    corrections: Corrections,
    erased: Erased | None,
) -> FileLedger:
    raw = inputs[index]
    source = config.domains[str(raw.domain)].sources[raw.source]
    place = {"domain": raw.domain, "file": raw.location}
    staged = scratch / f"{index}.parquet"
    table = read_raw(con, config, source, raw, m.mapping, IDS, staged)
    name = part_name(index, raw.sha256)
    earlier = [out / "events" / part_name(i, r.sha256) for i, r in enumerate(inputs[:index])]
    with reading(place):
        latest = latest_time(m.params, as_of)
        parts = split_corrected(con, table.table, m, corrections.of_file(raw.location, raw.sha256))

        def judged(only: ir.Table | None = None, by: str = "row") -> ir.Table:
            judgements = [
                judge(rows if only is None else rows.semi_join(only, by), meant, index, latest, place)
                for rows, meant in parts.tables
            ]
            return judgements[0] if len(judgements) == 1 else judgements[0].union(judgements[1])

        limit = m.max_events_per_user_day
        rows = judged()
        written = write_distinct(
            con,
            rows,
            KEY,
            EVENT_COLUMNS,
            out / "events" / name,
            out / "quarantine" / name,
            earlier,
            again=judged,
            burst=None if limit is None else BurstRule(limit, m.mapping["user_id"]),
            erased=None if erased is None else ErasedRows.among(con, rows, ("user_id",), erased),
        )
    staged.unlink(missing_ok=True)
    slack = timedelta(days=m.params.max_future_days)
    return FileLedger(
        location=raw.location,
        feeds="events",
        domain=raw.domain,
        sha256=raw.sha256,
        bytes=raw.bytes,
        chain=chain,
        rows_in=table.rows,
        rows_out=written.rows_out,
        quarantined=written.quarantined,
        deduplicated=written.deduplicated,
        holds_from=_before(written.latest_valid, slack),
        holds_until=_before(written.first_future, slack),
        corrected=parts.corrected,
        columns=table.columns,
        erased=written.erased,
    )


def _before(moment: datetime | None, slack: timedelta) -> str | None:
    return None if moment is None else (moment.astimezone(UTC) - slack).isoformat()
