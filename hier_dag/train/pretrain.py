"""Pre-training: all source domains together, early stopping on source validation."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from hier_dag.errors import TrainingError
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.graph.training_pairs import Used
from hier_dag.model.formulation import Batch, Formulation
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.train.batches import SourcePairs
from hier_dag.train.describe import describe
from hier_dag.train.params import PretrainParams
from hier_dag.train.pretrained import EpochRecord, Pretrained
from hier_dag.train.progress import Progress, Throttle
from hier_dag.train.seeding import pick_device, seeded
from hier_dag.train.validation import SourceValidation


def pretrain(
    graph: KnowledgeGraph, params: PretrainParams, progress: Callable[[Progress], None] | None = None
) -> Pretrained:
    """Trains an encoder on the source domains' training interactions.

    L = L_rank + aux·L_rank(h̃) + λ1·MI + λ2·ECL + λ3·mean P(Z>0) + l2·|h_u|² (hier.md, recommended). Adam
    on a one-cycle schedule; the epoch with the best NDCG@10 on source validation is kept. No interaction of
    a target domain is read. On CPU the result depends on the graph, the parameters and the number of
    threads alone, bit for bit.

    Args:
        graph: the platform.
        params: what decides the encoder besides the graph.
        progress: called a few times a second at most, and once at the end.

    Returns:
        The encoder with everything that is written about it.

    Raises:
        TrainingError: no source interaction, or a loss that is not finite (names step and epoch).
        ConfigError: `params.model` names no formulation.
    """
    device = pick_device(params.device)
    with seeded(params.seed, params.threads, device):
        model = build_model(source_view(graph), params).to(device)
        pairs = SourcePairs(graph, params.batch_size, params.negatives, device)
        curve, best_epoch = _fit(model, graph, pairs, params, device, Throttle(progress))
        model.eval().to("cpu")
        described = describe(model, graph, params, curve, best_epoch)
        history = model.view.history
        encoded = Used("history", graph.sources, history.row_of_entry(), history.indices)
        return replace(described, used=(*pairs.used(), encoded))


def _fit(
    model: Formulation,
    graph: KnowledgeGraph,
    pairs: SourcePairs,
    params: PretrainParams,
    device: torch.device,
    report: Throttle,
) -> tuple[list[EpochRecord], int]:
    """Trains to the best epoch's weights; returns the curve and that epoch's number."""
    validation = SourceValidation(graph, params.validation_users, params.seed, device)
    optimizer, schedule = _optimizer(model, params, pairs.steps)
    curve: list[EpochRecord] = []
    best, best_epoch, kept = -1.0, 0, _copy_of(model)
    for epoch in range(1, params.epochs + 1):
        started = time.monotonic()
        sums: Counter[str] = Counter()
        for step, batch in enumerate(pairs.epoch(), start=1):
            values = _step(model, batch, params, optimizer, (epoch, step))
            schedule.step()
            sums.update(values)
            if report.ready:
                rate = min(step * params.batch_size, len(pairs)) / (time.monotonic() - started)
                place = (epoch, params.epochs, step, pairs.steps)
                ndcg = curve[-1].ndcg if curve else None
                report(Progress(*place, values["loss"], ndcg, rate, model.paths.gates.open_share()))
        rate = len(pairs) / (time.monotonic() - started)
        means = {name: total / pairs.steps for name, total in sums.items()}
        curve.append(_record(model, validation, epoch, means, started))
        score = curve[-1].ndcg
        # Without validation pairs no epoch can be told better than another: the last one is kept.
        if score is None or score > best:
            best, best_epoch, kept = score or 0.0, epoch, _copy_of(model)
        stop = epoch == params.epochs or epoch - best_epoch >= params.patience
        report(_epoch_progress(curve[-1], params.epochs, pairs.steps, rate), last=stop)
        if stop:
            break
    model.load_state_dict(kept)
    return curve, best_epoch


def _step(
    model: Formulation,
    batch: Batch,
    params: PretrainParams,
    optimizer: torch.optim.Optimizer,
    place: tuple[int, int],
) -> dict[str, float]:
    """One update; returns the weighted loss and every term."""
    terms = model.losses(batch)
    loss = weighted(terms, params)
    values = {name: term.item() for name, term in {"loss": loss, **terms}.items()}
    _check(values, *place)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), params.clip)
    optimizer.step()
    return values


def weighted(terms: dict[str, Tensor], params: PretrainParams) -> Tensor:
    """The training loss from its unweighted terms (hier.md, recommended).

    Args:
        terms: scalars rank, auxiliary, mi, exemplar, path, l2.
        params: holds their weights.
    """
    return (
        terms["rank"]
        + params.auxiliary_weight * terms["auxiliary"]
        + params.mi_weight * terms["mi"]
        + params.exemplar_weight * terms["exemplar"]
        + params.path_weight * terms["path"]
        + params.l2_weight * terms["l2"]
    )


def _optimizer(
    model: Formulation, params: PretrainParams, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    gates = model.paths.gates.log_alpha
    rest = [parameter for parameter in model.parameters() if parameter is not gates]
    peaks = [params.learning_rate, params.learning_rate * params.gate_lr_multiplier]
    groups = [{"params": rest, "lr": peaks[0]}, {"params": [gates], "lr": peaks[1]}]
    optimizer = torch.optim.Adam(groups, fused=True)
    # OneCycleLR divides by (its first phase's steps - 1); 4 steps is the least that keeps it above zero.
    total = max(4, steps * params.epochs)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, peaks, total_steps=total)


def _record(
    model: Formulation, validation: SourceValidation, epoch: int, means: dict[str, float], started: float
) -> EpochRecord:
    figures = validation.score(model)
    ndcg, hr = figures if figures is not None else (None, None)
    loss = means.pop("loss")
    open_paths = model.paths.gates.open_share()
    return EpochRecord(epoch, loss, means, ndcg, hr, open_paths, time.monotonic() - started)


def _epoch_progress(record: EpochRecord, epochs: int, steps: int, rate: float) -> Progress:
    return Progress(record.epoch, epochs, steps, steps, record.loss, record.ndcg, rate, record.open_paths)


def _check(values: dict[str, float], epoch: int, step: int) -> None:
    if not np.isfinite(values["loss"]):
        bad = [name for name, value in values.items() if name != "loss" and not np.isfinite(value)]
        raise TrainingError(
            f"the loss is not finite at epoch {epoch}, step {step} (terms: {', '.join(bad) or 'their sum'})",
            fix="lower stages.pretrain.learning_rate or raise temperature",
            detail={"epoch": epoch, "step": step, "terms": {k: str(v) for k, v in values.items()}},
        )


def _copy_of(model: Formulation) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
