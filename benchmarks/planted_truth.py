"""How far planted intents are recovered, next to an oracle: `python benchmarks/planted_truth.py`.

The oracle knows the generator: it takes the most probable strongest intent of every user under the true
probabilities of intents, exemplars and items, given the same distinct source pairs that the encoder saw.
Mixtures are soft and many users have few pairs: even the oracle is far from 1. Run it after `hier demo`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from hier_dag.config import load_config
from hier_dag.evaluate.interpret.families import intent_families
from hier_dag.evaluate.interpret.partitions import adjusted_rand_index, normalised_mutual_information
from hier_dag.evaluate.interpret.recovery import EVIDENCE, recovery, strongest
from hier_dag.evaluate.interpret.truth import FOLDER, Truth, read_truth
from hier_dag.graph.files import load_graph
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.home import SAMPLE_DOMAINS, home_of
from hier_dag.model.interactions import encode_interactions
from hier_dag.model.source_view import SourceView, source_view
from hier_dag.pipeline.stages import GRAPH
from hier_dag.registry import Registry
from hier_dag.sample.params import SampleParams
from hier_dag.sample.plan import Plan, build_plan
from hier_dag.sample.services import SERVICES
from hier_dag.sample.users import Users, build_users
from hier_dag.store import ArtifactStore

_DRAWS = 6_000  # mixtures that the posterior is averaged over
_BLOCK = 2_000  # users at once


def item_chances(plan: Plan, graph: KnowledgeGraph) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """P(item | intent), float64 [P, n_items], and P(item | popularity), float64 [n_items], by service."""
    number = {id_: n for n, id_ in enumerate(graph.item_ids)}
    planned = np.zeros((plan.decisions.path.shape[0], graph.n_items))
    popular = np.zeros(graph.n_items)
    for service in (s for s in SERVICES if s.name in graph.sources):
        items = plan.catalogues[service.name]
        column = np.array([number.get(id_, -1) for id_ in items.ids.to_pylist()])
        path = plan.decisions.in_service(service)
        weight = items.popularity[items.exemplar_item]
        weight = weight / np.bincount(items.exemplar, weights=weight, minlength=path.shape[1])[items.exemplar]
        of = np.zeros((path.shape[1], len(column)))
        of[items.exemplar, items.exemplar_item] = weight
        known = column >= 0
        planned[:, column[known]] = (path @ of)[:, known]
        popular[column[known]] = items.popularity[known]
    return planned, popular


def oracle(params: SampleParams, plan: Plan, graph: KnowledgeGraph, view: SourceView) -> NDArray[np.int64]:
    """Most probable strongest intent of each user, int64 [n_users]; -1 without source history.

    Pairs are taken as independent draws of (1 − noise)·Σ_p share_p P(item | p) + noise·P(item | popularity);
    mixtures are drawn from the prior, other users' among them, and weighed by likelihood.
    """
    prior: Users = build_users(SampleParams(users=_DRAWS, seed=params.seed + 1), plan.decisions)
    mixture = np.zeros((_DRAWS, len(plan.decisions.popularity)))
    for place in range(prior.intents.shape[1]):
        held = np.flatnonzero(prior.intents[:, place] >= 0)
        mixture[held, prior.intents[held, place]] = prior.shares[held, place]
    planned, popular = item_chances(plan, graph)
    items = np.flatnonzero(popular > 0)
    chance = (1 - params.noise) * (mixture @ planned[:, items]) + params.noise * popular[items]
    log = np.log(chance).T.astype(np.float32)
    leading = np.zeros_like(mixture, dtype=np.float32)
    leading[np.arange(_DRAWS), mixture.argmax(axis=1)] = 1
    history = view.history
    pairs = sp.csr_array(
        (np.ones(history.nnz, np.float32), history.indices, history.indptr),
        shape=(history.rows, history.cols),
    )[:, items]
    found = np.full(history.rows, -1, np.int64)
    for start in range(0, history.rows, _BLOCK):
        likelihood = pairs[start : start + _BLOCK] @ log
        likelihood -= likelihood.max(axis=1, keepdims=True)
        found[start : start + _BLOCK] = (np.exp(likelihood) @ leading).argmax(axis=1)
    found[history.degrees() == 0] = -1
    return found


def load() -> tuple[KnowledgeGraph, Truth, SampleParams]:
    """The sample platform's newest graph, its truth and what it was generated from."""
    config = load_config(SAMPLE_DOMAINS)
    home = home_of(config.platform)
    digest = Registry(home.registry_url, platform=home.platform).latest(GRAPH, None)
    if digest is None:
        raise SystemExit("run `hier demo` first")
    folder = ArtifactStore(home.store).open(GRAPH, digest).path
    graph = load_graph(folder, config.source_names, config.target_names)
    truth = read_truth(config.data_dir(), graph.user_ids, graph.item_ids)
    if truth is None:
        raise SystemExit("no planted truth lies beside the logs")
    text = (config.data_dir() / FOLDER / "params.json").read_text(encoding="utf-8")
    return graph, truth, SampleParams(**json.loads(text))


def main() -> None:
    """Prints agreement of every seed's encoder, and the oracle's, as JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    seeds = parser.parse_args().seeds
    graph, truth, params = load()
    view = source_view(graph)
    pairs, visits = view.history.degrees(), np.bincount(view.history.indices, minlength=view.n_items)
    known, planted = oracle(params, build_plan(params), graph, view), strongest(truth.users)
    for least in EVIDENCE:
        of = (known >= 0) & (planted >= 0) & (pairs >= least)
        a, b = known[of], planted[of]
        found = {"nmi": normalised_mutual_information(a, b), "ari": adjusted_rand_index(a, b)}
        print(
            json.dumps({"seed": None, "what": "oracle", "evidence": least, "things": int(of.sum()), **found})
        )
    defaults = load_config(SAMPLE_DOMAINS).stages.pretrain
    for seed in seeds:
        sizes = (defaults.interaction_dim, defaults.intents, defaults.exemplars)
        encoding = encode_interactions(view.history, *sizes, seed)
        family = intent_families(encoding.paths, encoding.exemplars)
        for agreement in recovery(encoding, family, truth, pairs, visits):
            print(json.dumps({"seed": seed, **asdict(agreement)}))


if __name__ == "__main__":
    main()
