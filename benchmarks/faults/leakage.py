"""Leakage: one pair that must not be known is planted into a build; every build must fail and name it.

    python benchmarks/faults/leakage.py [--json] [--small]

A sample platform is ingested once. Each trial builds its graph with one pair planted at random:

    held-out row    into a domain's table of pairs, as a training pair: some domain tests or validates on it
    held-out edge   into a relation's arrays on their way to disk
    later row       a source's pair of after the cut, relabelled as training in its table
    training pair   into the edges in memory that pre-training is given; a small encoder is trained on them

The table says how many builds failed, how many named the user, the item and the domain, and whether a graph
was committed. Controls have nothing planted and must pass. `--small` makes a tenth of the trials.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ibis
import numpy as np
import pyarrow as pa

from hier_dag.builds.events import build_events
from hier_dag.builds.graph import build_graph
from hier_dag.builds.links import build_links
from hier_dag.config import PlatformConfig, load_config
from hier_dag.errors import ContractError
from hier_dag.graph import build, files
from hier_dag.graph.csr import CSR, from_coo
from hier_dag.graph.files import load_graph
from hier_dag.graph.knowledge_graph import TRAIN, KnowledgeGraph
from hier_dag.graph.tables import GraphTables
from hier_dag.graph.training_pairs import holds, training_certificate
from hier_dag.home import SAMPLE_DOMAINS
from hier_dag.ingest.connection import connect
from hier_dag.pipeline.requests import events_request, graph_request, links_request
from hier_dag.pipeline.stages import GRAPH
from hier_dag.pipeline.workshop import Outcome, Workshop
from hier_dag.registry import Registry
from hier_dag.sample.generate import generate
from hier_dag.sample.params import SampleParams
from hier_dag.store import ArtifactStore
from hier_dag.train.params import PretrainParams
from hier_dag.train.pretrain import pretrain

TRIALS = {"held-out row": 60, "held-out edge": 60, "later row": 60, "training pair": 20, "control": 10}
QUICK = PretrainParams(dim=8, intents=2, exemplars=4, epochs=1, threads=1, rehearsal_pairs=0)


@dataclasses.dataclass(frozen=True)
class Planted:
    """A pair, by number and by id, and the domain whose edges it is planted into."""

    domain: str
    user: int
    item: int
    user_id: str
    item_id: str

    def named_in(self, text: str) -> bool:
        """Whether a message names all three."""
        return all(part in text for part in (self.domain, self.user_id, self.item_id))


class Trials:
    """A platform whose events and links are validated, and its sound graph.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        generate(folder / "data", SampleParams(users=600, events=12_000))
        os.environ["HIER_DATA"] = str(folder / "data")
        self.config: PlatformConfig = load_config(SAMPLE_DOMAINS)
        self.folder = folder
        store = ArtifactStore(folder / "store")
        self.workshop = Workshop(store, Registry(f"sqlite:///{folder / 'registry.db'}", platform="sample"))
        self.connect = lambda: connect(folder / "scratch")
        for domain in self.config.domains:
            self.workshop.make(
                events_request(self.config, domain),
                lambda r, s, d=domain: build_events(self.config, d, r, s, self.workshop, self.connect),
                run_id="faults",
            )
        self.workshop.make(
            links_request(self.config),
            lambda r, s: build_links(self.config, r, s, self.connect),
            run_id="faults",
        )
        self.sound = folder / "sound"
        self.sound.mkdir()
        request = graph_request(self.config, self.workshop.registry)
        build_graph(self.config, request, self.sound, self.workshop, self.connect)
        sources, targets = self.config.source_names, self.config.target_names
        self.graph: KnowledgeGraph = load_graph(self.sound, sources, targets)

    def build(self) -> Outcome:
        """Builds the graph as the pipeline does."""
        return self.workshop.make(
            graph_request(self.config, self.workshop.registry),
            lambda r, s: build_graph(self.config, r, s, self.workshop, self.connect),
            run_id="faults",
        )

    def held_out(self, rng: np.random.Generator, domain: str, holder: str) -> Planted:
        """A random pair that one domain holds out, to be planted into another or the same."""
        pairs = self.graph.interactions[holder]
        at = int(rng.choice(np.flatnonzero(pairs.split != TRAIN)))
        user, item = int(pairs.user[at]), int(pairs.item[at])
        return Planted(domain, user, item, str(self.graph.user_ids[user]), str(self.graph.item_ids[item]))

    def any_domain(self, rng: np.random.Generator, *, source: bool = False) -> str:
        """A random domain that holds something out."""
        names = self.graph.sources if source else tuple(self.graph.interactions)
        return str(rng.choice([n for n in names if (self.graph.interactions[n].split != TRAIN).any()]))


@contextmanager
def row_planted(planted: Planted, *, relabel: bool) -> Iterator[None]:
    """Adds a training row to a domain's table of pairs, or makes the row that is there one."""
    make = build.graph_tables

    def changed(*args: Any, **kwargs: Any) -> GraphTables:
        tables = make(*args, **kwargs)
        pairs = tables.pairs[planted.domain]
        ours = (pairs.user == planted.user) & (pairs.item == planted.item)
        if relabel:
            split = ibis.ifelse(ours, TRAIN, pairs.split).cast("int8")
            tables.pairs[planted.domain] = pairs.mutate(split=split)
        else:
            row = {
                "user": [planted.user], "item": [planted.item], "split": [TRAIN], "shot_rank": [1],
                "share_rank": [0.5], "weight": [1.0], "first": [None],
            }  # fmt: skip
            new = ibis.memtable(pa.table(row, schema=pairs.schema().to_pyarrow()))
            tables.pairs[planted.domain] = pairs.union(new)
        return tables

    with patch.object(build, "graph_tables", changed):
        yield


@contextmanager
def edge_planted(planted: Planted) -> Iterator[None]:
    """Adds an edge to a relation's arrays on their way to disk."""
    save = files.save_edges

    def changed(folder: Path, relations: dict[str, CSR]) -> None:
        name = f"interacts:{planted.domain}"
        save(folder, {**relations, name: with_edge(relations[name], planted)})

    with patch.object(files, "save_edges", changed):
        yield


def with_edge(csr: CSR, planted: Planted) -> CSR:
    """A relation with one more edge."""
    row = np.append(csr.row_of_entry(), planted.user)
    col = np.append(csr.indices, planted.item)
    values = None if csr.values is None else np.append(csr.values, np.float32(1))
    return from_coo(row, col, csr.rows, csr.cols, values)


def built(trials: Trials, place: AbstractContextManager[None]) -> str | None:
    """Builds with a pair planted; what the refusal said, None where there was none."""
    try:
        with place:
            trials.build()
    except ContractError as error:
        return f"{error} {json.dumps(error.detail, ensure_ascii=False)}"
    return None


def trained(trials: Trials, planted: Planted) -> str | None:
    """Trains a small encoder on edges with a pair planted; what its certificate said, None where it held."""
    graph = trials.graph
    csr = with_edge(graph.interacts[planted.domain], planted)
    given = dataclasses.replace(graph, interacts={**graph.interacts, planted.domain: csr})
    certificate = training_certificate(pretrain(given, QUICK).used, trials.sound)
    return None if holds(certificate) else json.dumps(certificate["sample"], ensure_ascii=False)


def attempt(trials: Trials, kind: str, rng: np.random.Generator) -> tuple[bool, bool]:
    """One trial: whether it failed, and whether it named the pair and the domain."""
    if kind == "control":
        with trials.workshop.store.stage(GRAPH) as staged:
            request = graph_request(trials.config, trials.workshop.registry)
            checks = build_graph(trials.config, request, staged, trials.workshop, trials.connect).checks
        return any(c.name == "no_leakage" and not c.passed for c in checks), False
    source = kind in ("later row", "training pair")
    domain = trials.any_domain(rng, source=source)
    holder = domain if kind == "later row" else trials.any_domain(rng)
    planted = trials.held_out(rng, domain, holder)
    said: Callable[[], str | None] = {
        "held-out row": lambda: built(trials, row_planted(planted, relabel=False)),
        "held-out edge": lambda: built(trials, edge_planted(planted)),
        "later row": lambda: built(trials, row_planted(planted, relabel=True)),
        "training pair": lambda: trained(trials, planted),
    }[kind]
    text = said()
    return text is not None, text is not None and planted.named_in(text)


def main() -> None:
    """Runs every trial and prints the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--small", action="store_true")
    given = arguments.parse_args()
    rng = np.random.default_rng(18)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        trials = Trials(Path(name))
        for kind, full in TRIALS.items():
            n = max(2, full // 10) if given.small else full
            found = [attempt(trials, kind, rng) for _ in range(n)]
            failed, told = (sum(column) for column in zip(*found, strict=True))
            rows.append({"planted": kind, "trials": n, "refused": failed, "named": told})
        committed = trials.workshop.registry.latest(GRAPH, None) is not None
    if given.json:
        print(json.dumps({"rows": rows, "committed": committed}, indent=1))
        return
    print("| planted | trials | refused | named user, item and domain |\n| --- | --- | --- | --- |")
    for row in rows:
        print("| " + " | ".join(str(v) for v in row.values()) + " |")
    print(f"\ngraphs committed with something planted: {int(committed)}")


if __name__ == "__main__":
    main()
