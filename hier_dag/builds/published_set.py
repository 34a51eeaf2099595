"""A target's published set: its vectors in the live space, its files, and what its contract asks of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from ibis.backends.duckdb import Backend
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hier_dag.builds.vector_flows import check_published
from hier_dag.config.stages import PublishParams
from hier_dag.conservation import write_flows
from hier_dag.errors import ContractError
from hier_dag.graph.csr import IntArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.pipeline.workshop import Built
from hier_dag.publish.coverage import check_coverage
from hier_dag.publish.files import ITEMS, USERS, WriteNotes, write_set
from hier_dag.publish.flows import publish_flows
from hier_dag.publish.index_recall import shortfalls
from hier_dag.publish.params import IndexParams
from hier_dag.publish.platform import Platform
from hier_dag.publish.rows import Texts, picked
from hier_dag.publish.space.alignment import align_to_disk
from hier_dag.publish.space.name import space_id
from hier_dag.publish.space.params import SpaceParams
from hier_dag.publish.space.sides import ArraySide, Space
from hier_dag.publish.space.verdict import judge
from hier_dag.registry import CheckRow
from hier_dag.store import Artifact
from hier_dag.transfer.save import VECTORS, load_vectors
from hier_dag.transfer.vectors import DomainVectors
from schemas.audits import audit_embeddings
from schemas.columns import columns_of

COVERAGE, RECALL, ROWS = "coverage", "index_recall", "row_schema"
LATENCY = "latency"
"""Fact of the check `index_recall`: times are no part of a set, and outlast a wait for an approval there."""
REMEDIES = {
    COVERAGE: "deliver what is missing, or move the bound (stages.publish.coverage)",
    RECALL: "raise stages.publish.index.recall_target, or exact_below so that items are searched one by one",
}


@dataclass(frozen=True)
class SetOf:
    """What a set is made of.

    Attributes:
        domain: the target.
        graph: that the model was made on, or as much of it as is published.
        names: display name of every item number.
        model: the transfer.
        parents: digest of each parent by role.
        anchor: the set that began the live space; None for a domain's first.
    """

    domain: str
    graph: KnowledgeGraph | Platform
    names: Texts
    model: Artifact
    parents: Mapping[str, str]
    anchor: Artifact | None


def build_set(of: SetOf, params: PublishParams, staged: Path, con: Backend) -> Built:
    """Writes a set into a staged folder and audits it there.

    Raises:
        ContractError: there is nothing to publish, or rows were lost on the way.
    """
    vectors = load_vectors(of.model.path)
    if len(vectors.users) == 0 or len(vectors.items) == 0:
        # A live set must not give way to one that answers nobody.
        raise ContractError(
            f"nothing to publish: {len(vectors.users):,} users and {len(vectors.items):,} items.",
            domain=of.domain,
            fix="deliver its first events; or declare a `catalogue` and `audience: platform`, so that the "
            "platform's users get vectors without any",
        )
    # Threads of BLAS add up in another order each number of them: a turned set would depend on the machine.
    with threadpool_limits(limits=1, user_api="blas"):
        vectors, space = in_space(vectors, of, params.space, staged)
    about = {"domain": of.domain, "model": of.parents["model"], "encoder": of.parents["encoder"], **space}
    pairs, notes = of.graph.interactions[of.domain], WriteNotes()
    facts = write_set(
        staged, vectors, of.graph.user_ids, of.graph.item_ids, of.names, pairs, about, params.index, notes
    )
    flows = publish_flows(staged, of.domain, vectors, pairs)
    check_published(flows, of.model, of.domain)
    write_flows(flows, staged)
    failures = audit_embeddings(con, staged)
    covered = check_coverage(
        of.domain,
        staged / USERS,
        staged / ITEMS,
        _active(of.graph.user_ids, of.graph.audience[of.domain], pairs.user),
        _active(of.graph.item_ids, of.graph.catalogue[of.domain], pairs.item),
        params.coverage,
    )
    return Built(
        tables={p.name: columns_of(PUBLISHED, p) for p in sorted(staged.glob("*.parquet"))},
        summary=facts,
        checks=[
            CheckRow(ROWS, not failures, {"failures": [f.as_dict() for f in failures]}),
            CheckRow(COVERAGE, not covered.failures, _told(covered.facts, map(str, covered.failures))),
            _recall(facts["index"], params.index, notes.latency),
        ],
        remedies=REMEDIES,
        known=tuple(notes.entries),
    )


def in_space(
    vectors: DomainVectors, of: SetOf, params: SpaceParams, scratch: Path
) -> tuple[DomainVectors, dict[str, Any]]:
    """The vectors in the space of the anchor, where a rotation leads there; and what they are to it.

    Args:
        vectors: as transfer made them.
        of: what the set is made of.
        params: bounds.
        scratch: folder on the disk that turned vectors go to, which may be larger than memory.

    Returns:
        The vectors, and for set.json: `space`, `anchor` (None where the set begins a space) and `turned`.

    Raises:
        StoreError: a file of the anchor is not what its name says, vectors are not finite, or there is no
            room for turned ones.
    """
    model = of.parents["model"]
    if of.anchor is None:
        return vectors, {"space": space_id(model, "first"), "anchor": None, "turned": False}
    source = str(of.model.path / VECTORS)
    new = Space(
        ArraySide(picked(of.graph.user_ids, vectors.users), vectors.user_vectors, source),
        ArraySide(picked(of.graph.item_ids, vectors.items), vectors.item_vectors, source),
    )
    verdict = judge(new, Space.of_folder(of.anchor.path), params)
    goes_on = verdict.change in ("same", "aligned")
    space = space_id(model, verdict.change, str(of.anchor.manifest.summary["space"]) if goes_on else None)
    if verdict.rotation is not None:
        vectors = replace(
            vectors,
            user_vectors=align_to_disk(vectors.user_vectors, verdict.rotation, scratch),
            item_vectors=align_to_disk(vectors.item_vectors, verdict.rotation, scratch),
        )
    return vectors, {
        "space": space,
        "anchor": of.anchor.digest if goes_on else None,
        "turned": verdict.rotation is not None,
    }


def _active(ids: Texts, declared: IntArray, seen: IntArray) -> pa.LargeStringArray:
    """Ids of what is declared or seen, each once."""
    there = np.zeros(len(ids), bool)
    for numbers in (declared, seen):
        there[numbers] = True
    return picked(ids, np.flatnonzero(there))


def _recall(index: Mapping[str, Any], params: IndexParams, latency: Mapping[str, float]) -> CheckRow:
    short = shortfalls(index, params)
    words = [f"{name} is {s['found']:.3f}, the floor {s['floor']}" for name, s in short.items()]
    floors = {"recall@10": params.recall_floor, "recall@50": params.recall_floor_50}
    return CheckRow(RECALL, not short, _told({**index, "floors": floors, LATENCY: dict(latency)}, words))


def _told(facts: dict[str, Any], failures: Any) -> dict[str, Any]:
    words = "; ".join(failures)
    return {"message": words, **facts} if words else facts
