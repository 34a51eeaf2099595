"""Pre-training: all source domains together, early stopping on source validation."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import torch

from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.graph.training_pairs import Used
from hier_dag.model.formulation import Formulation
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.progress import Step, tell
from hier_dag.train.batches import SourcePairs
from hier_dag.train.checkpoint import Checkpoints
from hier_dag.train.describe import describe
from hier_dag.train.fit import Fit
from hier_dag.train.memory import FULL, SAMPLED, as_text, free_bytes, plan
from hier_dag.train.params import PretrainParams
from hier_dag.train.pretrained import Pretrained
from hier_dag.train.progress import Progress, Throttle
from hier_dag.train.ranks import ALONE, Ranks
from hier_dag.train.seeding import pick_device, seeded
from hier_dag.train.shared_tables import SharedTables
from hier_dag.train.surroundings import HERE, Surroundings
from hier_dag.train.tensorboard import Curves


def pretrain(
    graph: KnowledgeGraph,
    params: PretrainParams,
    progress: Callable[[Progress], None] | None = None,
    *,
    checkpoints: Checkpoints | None = None,
    stop: Callable[[], bool] | None = None,
    ranks: Ranks = ALONE,
    curves: Curves | None = None,
    surroundings: Surroundings = HERE,
) -> Pretrained:
    """Trains an encoder on the source domains' training interactions.

    L = L_rank + aux·L_rank(h̃) + λ1·MI + λ2·ECL + λ3·mean P(Z>0) + l2·|h_u|² (hier.md, recommended). Adam
    on a one-cycle schedule; the epoch with the best NDCG@10 on source validation is kept. No interaction of
    a target domain is read. On CPU the result depends on the graph, the parameters and the number of
    threads alone, bit for bit; how often it was interrupted and resumed changes nothing.

    Args:
        graph: the platform.
        params: what decides the encoder besides the graph.
        progress: called a few times a second at most, and once at the end.
        checkpoints: where it is saved, and resumed where one is there; None saves nothing.
        stop: asked after every step whether to save and stop.
        ranks: the processes that train together; this is the first of them, and every other one is in
            `assist`. What differs from one process is the order in which floats are added.
        curves: told of epochs and steps, for TensorBoard; None tells nobody.
        surroundings: device, threads and kind of graph, where they are not to be as the parameters say.

    Returns:
        The encoder with everything that is written about it.

    Raises:
        TrainingError: no source interaction, or too little memory.
        NotFinite: a loss or gradient that is not finite (names step and epoch), again when the step was done
            again from the last checkpoint.
        Interrupted: `stop` said so.
        ConfigError: `params.model` names no formulation.
    """
    device, threads = device_of(params, surroundings), threads_of(params, surroundings, ranks)
    with seeded(params.seed, threads, device):
        kind = surroundings.graph
        fit = _fit(graph, params, device, progress, checkpoints, stop, ranks, curves, kind)
        fit.run()
        assert fit.trained is not None  # this is the first rank
        model, pairs = fit.trained.eval().to("cpu"), fit.pairs
        described = describe(model, graph, params, fit.place.curve, fit.place.best_epoch)
        history = model.view.history
        encoded = Used("history", graph.sources, history.row_of_entry(), history.indices)
        return replace(described, used=(*pairs.used(), encoded))


def assist(
    graph: KnowledgeGraph,
    params: PretrainParams,
    ranks: Ranks,
    *,
    checkpoints: Checkpoints | None = None,
    stop: Callable[[], bool] | None = None,
    surroundings: Surroundings = HERE,
) -> None:
    """What every rank but the first does: its share of each step, to the end.

    Args:
        graph: the platform, as the first rank has it.
        params: as the first rank has them.
        ranks: the processes that train together.
        checkpoints: where the first rank saves; only read here.
        stop: asked after every step whether to stop.
        surroundings: as the first rank has them.

    Raises:
        NotFinite, Interrupted: when the first rank does.
    """
    device, threads = device_of(params, surroundings), threads_of(params, surroundings, ranks)
    with seeded(params.seed, threads, device):
        _fit(graph, params, device, None, checkpoints, stop, ranks, graph_kind=surroundings.graph).run()


def device_of(params: PretrainParams, surroundings: Surroundings) -> torch.device:
    """Where a training runs."""
    return pick_device(surroundings.device or params.device)


def threads_of(params: PretrainParams, surroundings: Surroundings, ranks: Ranks) -> int:
    """CPU threads of one rank of a training."""
    wanted = params.threads if surroundings.threads is None else surroundings.threads
    return ranks.threads(wanted)


def _fit(
    graph: KnowledgeGraph,
    params: PretrainParams,
    device: torch.device,
    progress: Callable[[Progress], None] | None,
    checkpoints: Checkpoints | None,
    stop: Callable[[], bool] | None,
    ranks: Ranks,
    curves: Curves | None = None,
    graph_kind: str | None = None,
) -> Fit:
    model = build_model(source_view(graph), params).to(device)
    pairs = SourcePairs(graph, params.batch_size, params.negatives, device)
    planned = params if graph_kind is None else replace(params, graph=graph_kind)
    need = _planned(model, pairs, planned, device, checkpoints, ranks)
    tell(Step("pretrain/encoder", need, 0, 0))
    sharing = ranks.sharing > 1
    whole = deepcopy(model).cpu() if sharing and ranks.first else None
    tables = SharedTables(model, ranks) if sharing else None
    report = Throttle(progress)
    return Fit(model, graph, pairs, params, device, report, checkpoints, stop, ranks, curves, tables, whole)


def _planned(
    model: Formulation,
    pairs: SourcePairs,
    params: PretrainParams,
    device: torch.device,
    checkpoints: Checkpoints | None,
    ranks: Ranks,
) -> str:
    """Decides between the full graph and samples as the first rank finds it; gives what people are told."""
    free = free_bytes(device)
    saved = checkpoints.told() if checkpoints is not None and ranks.first else None
    need = plan(model, pairs, params, free, None if saved is None else saved["graph"], ranks.sharing)
    (first,) = ranks.as_first(float(need.graph == SAMPLED))
    began_on = SAMPLED if first else FULL
    if need.graph != began_on:
        need = plan(model, pairs, params, free, began_on, ranks.sharing)
    return f"training needs {need}; {as_text(free)} are free"
