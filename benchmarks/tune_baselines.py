"""Settings of every baseline, eight candidates each, chosen without a target's validation or test pairs.

Few-shot baselines: a fifth of a target's few-shot training pairs is held out and ranked, the rest is the
evidence; pooled over the targets. Zero-shot baselines: each source in turn plays the target, so that all
its items are cold. A candidate's figure is its NDCG@10 over the best candidate's, mean over platforms and
settings; one winner serves all platforms.

Run it on platforms whose graph is built (`hier run FILE`), for all or some baselines:
`python benchmarks/tune_baselines.py examples/yelp_city/domains.yaml … --only ease twin`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hier_dag.config import load_config
from hier_dag.evaluate.baselines import Evidence
from hier_dag.evaluate.baselines.ease import ease
from hier_dag.evaluate.baselines.entity_mix import entity_mix
from hier_dag.evaluate.baselines.entity_popularity import entity_popularity
from hier_dag.evaluate.baselines.item_knn import item_knn
from hier_dag.evaluate.baselines.item_knn_popularity import item_knn_popularity
from hier_dag.evaluate.baselines.matrices import visits
from hier_dag.evaluate.baselines.trained.fitting import Recipe, fit
from hier_dag.evaluate.baselines.trained.recipes import RECIPES
from hier_dag.evaluate.baselines.trained.training import Training
from hier_dag.evaluate.baselines.twin import twin
from hier_dag.evaluate.metrics import user_metrics
from hier_dag.evaluate.ranking import RankingTask, Scorer, rank_tests
from hier_dag.graph.csr import from_coo
from hier_dag.graph.files import load_graph
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.home import home_of
from hier_dag.pipeline.stages import GRAPH
from hier_dag.registry import Registry
from hier_dag.store import ArtifactStore
from hier_dag.transfer.shots import draw_shots

SHOTS = ("1", "3", "10%")  # a fifth of 1 % of a domain is a dozen pairs: noise
TRAINED_SHOTS = ("3",)
ZERO_SHOT = ("entity_popularity", "entity_mix")
USERS = 1000  # most users scored in a zero-shot task
Candidate = tuple[str, Callable[[Evidence], Scorer | None]]
Task = tuple[str, Evidence, RankingTask]


def load(file: str) -> KnowledgeGraph:
    config = load_config(Path(file))
    home = home_of(config.platform)
    digest = Registry(home.registry_url, platform=home.platform).latest(GRAPH, None)
    if digest is None:
        raise SystemExit(f"run `hier run {file}` first")
    folder = ArtifactStore(home.store).open(GRAPH, digest).path
    return load_graph(folder, config.source_names, config.target_names)


def ranking(evidence: Evidence, user: np.ndarray, item: np.ndarray) -> RankingTask:
    """Ranks these pairs, the evidence masked."""
    graph, domain = evidence.graph, evidence.domain
    users = np.unique(user)
    catalogue = graph.catalogue[domain]
    row = np.full(graph.n_users, -1, dtype=np.int64)
    row[users] = np.arange(len(users))
    masked = row[evidence.user] >= 0
    n = (len(users), len(catalogue))
    return RankingTask(
        rows=np.searchsorted(graph.audience[domain], users),
        items=catalogue,
        test=from_coo(row[user], np.searchsorted(catalogue, item), *n),
        masked=from_coo(row[evidence.user[masked]], np.searchsorted(catalogue, evidence.item[masked]), *n),
    )


def few_shot_tasks(graph: KnowledgeGraph, shots: Sequence[str], targets: Sequence[str]) -> Iterator[Task]:
    for name in shots:
        for domain in targets:
            drawn = draw_shots(graph, domain, name)
            user, item = graph.audience[domain][drawn.user], graph.catalogue[domain][drawn.item]
            held = np.random.default_rng(0).random(len(user)) < 0.2
            if held.any() and not held.all():
                evidence = Evidence(graph, domain, user[~held], item[~held])
                yield name, evidence, ranking(evidence, user[held], item[held])


def zero_shot_tasks(graph: KnowledgeGraph) -> Iterator[Task]:
    nothing = np.zeros(0, dtype=np.int64)
    for source in graph.sources:
        others = tuple(s for s in graph.sources if s != source)
        if not others:
            continue
        evidence = Evidence(replace(graph, sources=others), source, nothing, nothing)
        known = np.unique(np.concatenate([graph.interacts[s].row_of_entry() for s in others]))
        user, item = graph.interacts[source].row_of_entry(), graph.interacts[source].indices
        users = np.intersect1d(user, known)
        chosen = np.random.default_rng(0).permutation(users)[:USERS]
        keep = np.isin(user, chosen)
        yield "0", evidence, ranking(evidence, user[keep], item[keep])


def candidates() -> dict[str, list[Candidate]]:
    def grid(baseline: Callable[..., Scorer | None], settings: list[dict[str, float]]) -> list[Candidate]:
        return [(str(s), lambda e, s=s: baseline(e, **s)) for s in settings]

    out = {
        "entity_popularity": grid(
            entity_popularity,
            [{"smoothing": s, "prior_visits": k} for s in (0.3, 1.0, 3.0, 10.0) for k in (30.0, 100.0)],
        ),
        "entity_mix": grid(entity_mix, [{"weight": w} for w in (0.1, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9)]),
        "item_knn": grid(item_knn, [{"shrinkage": h} for h in (0, 1, 3, 10, 30, 100, 300, 1000)]),
        "item_knn_popularity": grid(
            item_knn_popularity,
            [{"shrinkage": h, "weight": w} for h in (100.0, 300.0) for w in (0.5, 1.0, 2.0, 4.0)],
        ),
        "ease": grid(ease, [{"ridge": r} for r in (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)]),
        "twin": grid(
            twin,
            [
                {"dim": d, "prior_visits": k, "damping": m}
                for d in (64, 128)
                for k in (30, 100)
                for m in (0.0, 5.0)
            ],
        ),
    }
    return out | {name: list(trained_candidates(name, recipe)) for name, recipe in RECIPES.items()}


def trained_candidates(name: str, recipe: Recipe) -> Iterator[Candidate]:
    if name == "lightgcn_popularity":
        fitted: dict[int, Scorer] = {}  # the weight leaves training alone
        for weight in (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0):
            yield f"popularity {weight}", lambda e, w=weight: beside_popularity(e, recipe, w, fitted)
        return
    pairs = [(15, 0.01), (30, 0.003), (30, 0.01), (60, 0.005)]
    if name in ("mf", "lightgcn_few_shot"):  # without neighbours or sources to start from, more steps
        pairs = [(60, 0.005), (60, 0.02), (200, 0.005), (200, 0.02)]
    for steps, rate in pairs:
        for decay in (1e-4, 1e-2):
            few = Training(steps=steps, learning_rate=rate, decay=decay)
            sources = None if recipe.sources is None else replace(recipe.sources, decay=decay)
            changed = replace(recipe, sources=sources, few_shot=few)
            yield f"steps {steps}, rate {rate}, decay {decay}", lambda e, r=changed: fit(e, r)


def beside_popularity(evidence: Evidence, recipe: Recipe, weight: float, fitted: dict[int, Scorer]) -> Scorer:
    """What `fit` with this popularity weight scores, up to the order's own freedom; fits once an evidence."""
    if id(evidence) not in fitted:
        fitted[id(evidence)] = fit(evidence, replace(recipe, popularity=0.0))
    plain, log_count = fitted[id(evidence)], np.log(visits(evidence) + 0.1).astype(np.float32)
    return lambda rows: plain(rows) + np.float32(weight) * log_count


def ndcg(make: Callable[[Evidence], Scorer | None], tasks: Sequence[Task]) -> dict[str, float] | None:
    """Mean NDCG@10 of each setting over its tasks' users; None where the baseline does not exist."""
    values: dict[str, list[np.ndarray]] = {}
    for shots, evidence, task in tasks:
        scorer = make(evidence)
        if scorer is None:
            continue
        figures = user_metrics(rank_tests(scorer, task, 0), task.test.indptr, (10,))
        values.setdefault(shots, []).append(figures[:, 1])
    return {shots: float(np.concatenate(v).mean()) for shots, v in values.items()} or None


def tune(name: str, grid: list[Candidate], graphs: dict[str, KnowledgeGraph]) -> None:
    trained = name in RECIPES
    figures: dict[str, dict[str, float]] = {setting: {} for setting, _ in grid}
    started = time.perf_counter()
    for platform, graph in graphs.items():
        targets = graph.targets[1:3] if trained else graph.targets
        tasks = list(few_shot_tasks(graph, TRAINED_SHOTS if trained else SHOTS, targets))
        if name in ZERO_SHOT:
            tasks += zero_shot_tasks(graph)
        for setting, make in grid:
            for shots, value in (ndcg(make, tasks) or {}).items():
                figures[setting][f"{platform} {shots}"] = value
    best = {cell: max(f[cell] for f in figures.values()) for cell in next(iter(figures.values()))}
    score = {s: float(np.mean([f[c] / best[c] for c in best])) for s, f in figures.items()}
    print(f"\n## {name} ({time.perf_counter() - started:.0f} s)\n| setting | of best | {' | '.join(best)} |")
    print("|---" * (2 + len(best)) + "|")
    for setting in sorted(figures, key=lambda s: -score[s]):
        print(
            f"| {setting} | {score[setting]:.3f} | "
            + " | ".join(f"{figures[setting][c]:.4f}" for c in best)
            + " |"
        )
    print(end="", flush=True)


def main() -> None:
    """Prints one table a baseline, the winner first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="+", help="domains.yaml of each platform")
    parser.add_argument("--only", nargs="*", help="baselines; default all")
    chosen = parser.parse_args()
    graphs = {Path(file).stem: load(file) for file in chosen.files}
    for name, grid in candidates().items():
        if not chosen.only or name in chosen.only:
            tune(name, grid, graphs)


if __name__ == "__main__":
    main()
