"""Which decision paths carry a published score: from the live set back to the encoder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from hier_dag.errors import UsageError
from hier_dag.evaluate.interpret.platform import PlatformPaths, platform_paths
from hier_dag.evaluate.interpret.reading import Reading
from hier_dag.graph.files import load_graph
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.pipeline.recorded import domains_of, transfer_params
from hier_dag.pipeline.stages import ENCODER, GRAPH, MODEL, PUBLISHED
from hier_dag.publish.reader import PublishedSet, VersionRecord
from hier_dag.publish.reader.places import LocalPlace
from hier_dag.publish.reader.set_files import SetFiles
from hier_dag.store import Artifact, ArtifactStore
from hier_dag.train.encoding_files import load_encoding
from hier_dag.transfer.explanation import Explanation, explain
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.save import METHOD, load_vectors
from hier_dag.transfer.shots import Shots, draw_shots
from hier_dag.transfer.target import make_target


@dataclass(frozen=True)
class Carried:
    """A published score taken apart, in original ids and names.

    Attributes:
        domain: target domain.
        version: live version.
        user: original id.
        item: original id.
        item_name: name to show.
        origin: how the user's vector came to be.
        shots: few-shot setting that is published; "0" is zero-shot.
        explanation: terms and paths.
        reading: what intents and exemplars are called.
        item_entities: names of the entities that the item belongs to.
    """

    domain: str
    version: int
    user: str
    item: str
    item_name: str
    origin: str
    shots: str
    explanation: Explanation
    reading: Reading
    item_entities: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As JSON, paths with their names, and the exemplars that they lead to with their entities."""
        intents, exemplars = self.reading.intents, self.reading.exemplars
        paths = [
            {**asdict(p), "intent_name": intents[p.intent].name, "exemplar_name": exemplars[p.exemplar].name}
            for p in self.explanation.paths
        ]
        keys = ("domain", "version", "user", "item", "item_name", "origin", "shots")
        reached = dict.fromkeys(p.exemplar for p in self.explanation.paths)
        return {
            **{key: getattr(self, key) for key in keys},
            "score": self.explanation.score,
            "terms": self.explanation.terms,
            "paths": paths,
            "item_entities": list(self.item_entities),
            "exemplars": [
                {
                    "exemplar": k,
                    "name": exemplars[k].name,
                    "entities": [e.name for e in exemplars[k].entities],
                }
                for k in reached
            ],
        }


def carried(store: ArtifactStore, live: VersionRecord, user: str, item: str | None) -> Carried:
    """Takes the score of a user and an item apart, as the live set has it.

    Args:
        store: artifact store.
        live: the domain's live version.
        user: original id.
        item: original id; None takes the best recommendation.

    Raises:
        UsageError: the set holds no such id, or the encoder has no paths to read.
        StoreError: an artifact on the way is missing or damaged.
    """
    artifact = store.open(PUBLISHED, live.digest)
    published = PublishedSet(live, SetFiles(LocalPlace(store.root.parent), live.digest))
    origin = published.user_origin(user)
    if item is None:
        best = published.recommend(user, 1)
        if not best:
            raise UsageError(f"nothing is left to recommend to {user!r}.", fix="name an item")
        item = best[0].item_id
    parents = artifact.manifest.parents
    at, model = store.open(GRAPH, parents["graph"]), store.open(MODEL, parents["model"])
    graph = _graph(at)
    encoding = load_encoding(store.open(ENCODER, parents["encoder"]).path)
    told = platform_paths(graph, at.path, encoding)
    at_user = _position(graph.user_ids, graph.audience[live.domain], user, "user", live.domain)
    at_item = _position(graph.item_ids, graph.catalogue[live.domain], item, "item", live.domain)
    method, number = model.json(METHOD), int(graph.catalogue[live.domain][at_item])
    explanation = explain(
        make_target(graph, encoding, live.domain),
        told.encoding,
        _shots(graph, live.domain, method["shots"]),
        TypeAdapter(TransferParams).validate_python(transfer_params(model.manifest.params)),
        load_vectors(model.path),
        method["scalars"],
        at_user,
        at_item,
    )
    return Carried(
        domain=live.domain,
        version=live.version,
        user=user,
        item=item,
        item_name=str(told.words.items[number]),
        origin=origin,
        shots=method["shots"],
        explanation=explanation,
        reading=told.reading,
        item_entities=_entities(graph, number),
    )


def paths_of(
    store: ArtifactStore, encoder: str, graph: str, sources: tuple[str, ...], targets: tuple[str, ...]
) -> PlatformPaths:
    """The decision paths of an encoder.

    Args:
        store: artifact store.
        encoder: digest.
        graph: digest of the graph that it was trained on.
        sources: source domains, in declared order.
        targets: target domains, in declared order.

    Raises:
        UsageError: its formulation has no paths to read.
        StoreError: an artifact is missing or damaged.
    """
    at = store.open(GRAPH, graph)
    encoding = load_encoding(store.open(ENCODER, encoder).path)
    return platform_paths(load_graph(at.path, sources, targets), at.path, encoding)


def _entities(graph: KnowledgeGraph, item: int) -> tuple[str, ...]:
    """Names of the entities that an item belongs to."""
    links = graph.has_entity
    mine = links.indices[links.indptr[item] : links.indptr[item + 1]]
    return tuple(map(str, graph.entity_names[mine]))


def _graph(artifact: Artifact) -> KnowledgeGraph:
    return load_graph(artifact.path, *domains_of(artifact.manifest))


def _shots(graph: KnowledgeGraph, domain: str, name: str) -> Shots:
    if name != "0":
        return draw_shots(graph, domain, name)
    none = np.zeros(0, np.int64)
    return Shots("0", none, none, len(graph.catalogue[domain]))


def _position(
    ids: NDArray[np.object_], numbers: NDArray[np.int64], wanted: str, role: str, domain: str
) -> int:
    found = np.flatnonzero(ids[numbers] == wanted)
    if len(found) == 0:
        raise UsageError(
            f"{role} {wanted!r} is not in the published set.",
            domain=domain,
            fix="check the id's spelling, letter case and leading zeros",
        )
    return int(found[0])
