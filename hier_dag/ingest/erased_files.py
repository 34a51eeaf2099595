"""Which files of a domain's last events may be taken over: those before the first with an erased user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ibis.backends.duckdb import Backend

from hier_dag.erasure.erased import Erased
from hier_dag.erasure.recognise import found, naming
from hier_dag.ingest.writing import part_name


def files_without(con: Backend, folder: Path, parts: Sequence[tuple[int, str]], erased: Erased) -> int:
    """How many files of an events artifact, from the first on, hold nothing of an erased user.

    Args:
        con: the engine.
        folder: of the artifact.
        parts: index and digest of the raw file of each, in order.
        erased: who was erased.
    """
    for place, (index, sha256) in enumerate(parts):
        name = part_name(index, sha256)
        events = con.read_parquet(str(folder / "events" / name))
        refused = folder / "quarantine" / name
        if len(found(con, [events["user_id"]], erased)) or (
            refused.is_file() and len(naming(con, con.read_parquet(str(refused)), ["raw"], erased))
        ):
            return place
    return len(parts)
