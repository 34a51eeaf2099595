"""Where users stand in artifacts, by kind: ids in tables, ids in the text of rows, numbers of the graph."""

from __future__ import annotations

from dataclasses import dataclass

from hier_dag.pipeline.stages import (
    CORRECTIONS,
    ENCODER,
    EVENTS,
    GRAPH,
    LINKS,
    MODEL,
    PUBLISHED,
    REFUSED,
    STUDY,
)
from hier_dag.store import Artifact


@dataclass(frozen=True)
class Places:
    """Where an artifact of a kind holds users.

    Attributes:
        ids: beginning of the files' names and their columns of ids.
        text: beginning of the files' names and their columns of text that may hold ids.
        numbers: file that holds numbers of the users of its graph, and the column or tensor.
        all_of_graph: whether it has a row for every user of its graph.
    """

    ids: tuple[tuple[str, tuple[str, ...]], ...] = ()
    text: tuple[tuple[str, tuple[str, ...]], ...] = ()
    numbers: tuple[str, str] | None = None
    all_of_graph: bool = False


_REFUSED_ROWS = ("quarantine/", ("raw",))
_PLACES = {
    EVENTS: Places(ids=(("events/", ("user_id",)),), text=(_REFUSED_ROWS,)),
    LINKS: Places(ids=(("user_user.parquet", ("user_id", "other_id")),), text=(_REFUSED_ROWS,)),
    CORRECTIONS: Places(text=(("corrections.parquet", ("before", "values")),)),
    REFUSED: Places(text=(_REFUSED_ROWS,)),
    GRAPH: Places(ids=(("nodes/users.parquet", ("user_id",)),)),
    ENCODER: Places(all_of_graph=True),
    MODEL: Places(numbers=("vectors.safetensors", "users")),
    PUBLISHED: Places(ids=(("users.", ("user_id",)), ("seen.parquet", ("user_id",)))),
}
_STUDIES = Places(numbers=("users.parquet", "user"))
RAW = frozenset({EVENTS, LINKS, CORRECTIONS, REFUSED, GRAPH})
"""Kinds that hold rows or nodes of users and nothing learnt of them: their own files say all."""
UNLEARNT = frozenset({"anchor", "before", "earlier"})
"""Roles of parents that nothing is learnt of: a space's axes, and what an artifact takes the place of."""


def places_of(kind: str) -> Places:
    """Where artifacts of a kind hold users; nowhere for kinds that hold none."""
    return _PLACES.get(kind) or (_STUDIES if kind.startswith(f"{STUDY}/") else Places())


def files_of(artifact: Artifact, beginning: str) -> list[str]:
    """Paths of an artifact's Parquet files whose names begin so, in name order."""
    return [str(p) for p in artifact.files(beginning) if p.suffix == ".parquet"]
