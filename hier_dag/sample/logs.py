"""Writes the log of one service, file by file, and counts what went into each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hier_dag.sample.events import EventSource
from hier_dag.sample.faults import FaultyBlock, add_faults, count_faults
from hier_dag.sample.items import Items
from hier_dag.sample.params import SampleParams
from hier_dag.sample.raw_rows import clean_count, number_rows, raw_rows
from hier_dag.sample.services import Service
from hier_dag.sample.streams import IntArray
from hier_dag.sample.summary import FileCount, add_up
from hier_dag.sample.writers import Writer, open_writer


def write_log(
    folder: Path,
    params: SampleParams,
    service: Service,
    source: EventSource,
    items: Items,
    seen: NDArray[np.bool_],
    progress: Callable[[int], None],
) -> dict[str, FileCount]:
    """Writes one service's log, holding no more than a block of it.

    Args:
        folder: the platform's folder.
        params: the platform.
        service: a service with a log.
        source: its events.
        items: its items.
        seen: bool [users], set for every user that a clean row names.
        progress: told the number of clean events of each block written.

    Returns:
        Counts by file name relative to the folder.
    """
    writers: dict[str, Writer] = {}
    counts: dict[str, FileCount] = {}
    try:
        for number, events in enumerate(source.blocks()):
            seen[events.user] = True
            block = add_faults(params, service, number, events)
            for file, part in _by_file(service, block):
                if file not in writers:
                    writers[file] = open_writer(folder / file, service)
                numbers = {
                    name: rows
                    for canonical, name in service.columns.items()
                    if (rows := number_rows(part, service, canonical)) is not None
                }
                writers[file].write(raw_rows(part, service, items, params.users), numbers)
                counts[file] = _add(counts.get(file), service, part)
            progress(len(events))
    finally:
        for writer in writers.values():
            writer.close()
    return counts


def _by_file(service: Service, block: FaultyBlock) -> list[tuple[str, FaultyBlock]]:
    """The block's rows by file; a faulty copy stays in its original's file."""
    assert service.log is not None
    if "{month}" not in service.log:
        return [(service.log, block)]
    month = block.events.milli.astype("datetime64[ms]").astype("datetime64[M]")
    parts: list[tuple[str, FaultyBlock]] = []
    for value in np.unique(month):
        rows: IntArray = np.flatnonzero(month == value)
        part = FaultyBlock(block.events.take(rows), block.fault[rows])
        parts.append((service.log.format(month=value), part))
    return parts


def _add(before: FileCount | None, service: Service, part: FaultyBlock) -> FileCount:
    faults = count_faults(part.fault)
    clean = clean_count(part)
    if before is not None:
        faults = add_up([before.faults, faults])
        clean += before.clean
    return FileCount(service.name, clean + sum(faults.values()), clean, faults)
