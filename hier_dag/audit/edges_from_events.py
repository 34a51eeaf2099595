"""Derives from canonical events what a graph's edges may know, and compares."""

from __future__ import annotations

from collections.abc import Iterator
from os.path import lexists

import ibis
import numpy as np
import pyarrow as pa
from ibis.backends.duckdb import Backend

from hier_dag.audit.claim import FAILED, NOT_ASKED, Claim
from hier_dag.audit.graph_leakage import OpenGraph
from hier_dag.errors import StoreError
from hier_dag.graph.leakage import SHOWN
from hier_dag.graph.splits import distinct_pairs, known_until
from hier_dag.pipeline.stages import EVENTS
from hier_dag.store import ArtifactStore

_TOLERANCE = 1e-5  # relative: weights are sums of float64 that are stored as float32
_CLAIM = "edges know what the canonical events bear out, and nothing later"


def prove_from_events(opened: OpenGraph, store: ArtifactStore, con: Backend) -> Iterator[Claim]:
    """One claim a domain: each edge has events, began in time, and weighs what its events in time weigh.

    Args:
        opened: the graph.
        store: where its parents are looked for; a domain whose events are gone is not asked, one whose
            events are damaged has failed.
        con: any engine connection.
    """
    for domain in opened.roles:
        digest = opened.artifact.manifest.parents.get(f"events:{domain}", "")
        try:
            events = store.open(EVENTS, digest).files("events/")
        except StoreError as error:
            artifact, outcome = opened.artifact, NOT_ASKED if _gone(store, digest) else FAILED
            yield Claim(artifact.manifest.kind, artifact.digest, _CLAIM, outcome, error.message, domain)
            continue
        csr = opened.graph.interacts[domain]
        if not events:
            wrong = f"{csr.nnz} edges, but the domain has no event" if csr.nnz else None
            yield opened.claim(_CLAIM, wrong, "no edge, no event", domain)
            continue
        until = known_until(opened.roles[domain], opened.splits[domain], opened.cut)
        known = distinct_pairs(con.read_parquet([str(f) for f in events]), until)
        odd = _odd(con, _edges(opened, domain, con), known, until)
        count = int(odd.count().to_pyarrow().as_py())
        told = f"{csr.nnz:,} edges" + ("" if until is None else f", events before {until.isoformat()}")
        yield opened.claim(_CLAIM, _wrong(odd, count) if count else None, told, domain)


def _gone(store: ArtifactStore, digest: str) -> bool:
    """Whether nothing at all lies where the events were; a link that leads nowhere is something."""
    return bool(digest) and not lexists(store.path_of(EVENTS, digest))


def _edges(opened: OpenGraph, domain: str, con: Backend) -> ibis.Table:
    """user_id, item_id, stored (float32): the edges as they are stored, by original ids."""
    graph, csr = opened.graph, opened.graph.interacts[domain]
    weight = csr.values if csr.values is not None else np.ones(csr.nnz, np.float32)
    numbers = pa.table({"user": csr.row_of_entry(), "item": csr.indices, "stored": weight})
    edges = con.create_table("edges", numbers, temp=True, overwrite=True)
    for kind, ids in (("user", graph.user_ids), ("item", graph.item_ids)):
        nodes = pa.table({kind: np.arange(len(ids)), f"{kind}_id": pa.array(ids, pa.string())})
        edges = edges.join(con.create_table(f"{kind}s", nodes, temp=True, overwrite=True), kind)
    return edges.select("user_id", "item_id", "stored")


def _odd(con: Backend, edges: ibis.Table, known: ibis.Table, until: object) -> ibis.Table:
    """Edges without events, begun too late, or of another weight: user_id, item_id, why."""
    known = known.select(of_user="user_id", of_item="item_id", began="first", weight="weight")
    joined = edges.left_join(known, [edges.user_id == known.of_user, edges.item_id == known.of_item])
    late = ibis.literal(False) if until is None else joined.began >= ibis.literal(until)
    apart = (joined.weight - joined.stored).abs() > joined.weight * _TOLERANCE
    why = ibis.cases(
        (joined.of_user.isnull(), ibis.literal("has no event")),
        (late, ibis.literal("began at ").concat(joined.began.cast("string"))),
        (
            apart,
            ibis.literal("weighs ").concat(
                joined.stored.cast("string"), ", its events ", joined.weight.cast("string")
            ),
        ),
    )
    found = joined.select("user_id", "item_id", why=why)
    return con.create_table("odd", found.filter(found.why.notnull()), temp=True, overwrite=True)


def _wrong(odd: ibis.Table, count: int) -> str:
    rows = odd.order_by("user_id", "item_id").limit(SHOWN).to_pyarrow().to_pylist()
    told = "; ".join(f"user {r['user_id']}, item {r['item_id']} {r['why']}" for r in rows)
    return f"{count} edge(s) that the events do not bear out: {told}"
