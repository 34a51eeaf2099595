"""The training loop: resumed where a checkpoint stands, rolled back where a step is not finite."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from hier_dag.errors import Interrupted, NotFinite
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.model.formulation import Formulation
from hier_dag.train.batches import SourcePairs
from hier_dag.train.checkpoint import Checkpoints, Snapshot
from hier_dag.train.memory import FULL, SAMPLED
from hier_dag.train.monitors import measure
from hier_dag.train.params import PretrainParams
from hier_dag.train.pretrained import EpochRecord
from hier_dag.train.progress import Progress, Throttle
from hier_dag.train.ranks import ALONE, Ranks
from hier_dag.train.shared_tables import SharedTables
from hier_dag.train.tensorboard import Curves
from hier_dag.train.update import Updater
from hier_dag.train.validation import SourceValidation

_MODEL, _BEST, _MOMENTS = "model/", "best/", "moments/"
_EPOCH_RANDOM, _RANDOM = "random/epoch", "random/now"
_MOST_ROLL_BACKS = 3


@dataclass
class Place:
    """How far a training has come, JSON-serialisable.

    Attributes:
        epoch: the epoch that is being trained, 1-based; one past the last when all are done.
        step: steps of it that are done.
        sums: loss and terms, summed over those steps.
        curve: one record for each epoch that is done.
        best: NDCG@10 of the best of them; below 0 before the first.
        best_epoch: its number.
        spent: seconds that earlier processes spent in this epoch.
    """

    epoch: int = 1
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    curve: list[EpochRecord] = field(default_factory=list)
    best: float = -1.0
    best_epoch: int = 0
    spent: float = 0.0

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Place:
        """The inverse of `dataclasses.asdict`."""
        return cls(**value | {"curve": [EpochRecord(**record) for record in value["curve"]]})


class Fit:
    """Trains a model to the best epoch's weights.

    Args:
        model: freshly initialised, on the device; trained in place.
        graph: the platform.
        pairs: its sources' training pairs.
        params: what it is trained with.
        device: where it is.
        report: told how far training has come.
        checkpoints: where it is saved and resumed; None saves nothing.
        stop: asked after every step whether to save and stop.
        ranks: the processes that train together; the first alone reports and saves.
        curves: told of epochs and steps; None for every rank but the first.
        tables: of ranks that share them; the model then holds this rank's rows.
        whole: with shared tables, on the first rank, a copy of the model on CPU with room for all rows.

    Attributes:
        place: how far it has come.
        trained: the best epoch's model with all its rows, once `run` is done; None on the other ranks where
            they share tables.
    """

    def __init__(
        self,
        model: Formulation,
        graph: KnowledgeGraph,
        pairs: SourcePairs,
        params: PretrainParams,
        device: torch.device,
        report: Throttle,
        checkpoints: Checkpoints | None = None,
        stop: Callable[[], bool] | None = None,
        ranks: Ranks = ALONE,
        curves: Curves | None = None,
        tables: SharedTables | None = None,
        whole: Formulation | None = None,
    ) -> None:
        self.model, self.pairs, self.params, self.report = model, pairs, params, report
        self.checkpoints, self.stop, self.ranks, self.curves = checkpoints, stop, ranks, curves
        self.tables, self._whole, self.trained = tables, whole, None if tables else model
        self.update = Updater(model, params, pairs.steps, ranks, tables)
        scored_on = device if tables is None else torch.device("cpu")
        self.validation = SourceValidation(graph, params.validation_users, params.seed, scored_on)
        self.device, self.place = device, Place()
        self._kept = _copy_of(model)
        self._epoch_random = torch.get_rng_state()
        self._order: Tensor | None = None
        self._began = time.monotonic()
        self._rolled_back_at: list[int] = []

    def run(self) -> None:
        """Trains until the last epoch, or until validation has stood still for `patience` of them.

        Raises:
            NotFinite: a step is not finite, and is not when it is done again from the last checkpoint.
            Interrupted: `stop` said so; a checkpoint was saved where there is somewhere to save it.
            TrainingError: memory is too short.
        """
        if not self._resume():
            self._save()  # a fault of the first minute has somewhere to go back to
        while not self._over:
            try:
                self._epoch()
            except NotFinite as error:
                self._roll_back(error)
        self.model.load_state_dict(self._kept)
        self.trained = self._with_all_rows()

    def _with_all_rows(self) -> Formulation | None:
        """The model as it is scored and described; all ranks must ask, the first gets it where they share."""
        if self.tables is None:
            return self.model
        weights = self.tables.gathered(self.model.state_dict())
        if self._whole is not None:
            self._whole.load_state_dict(weights)
        return self._whole

    @property
    def _over(self) -> bool:
        place = self.place
        stale = place.epoch - 1 - place.best_epoch
        return place.epoch > self.params.epochs or (place.best_epoch > 0 and stale >= self.params.patience)

    @property
    def _steps_done(self) -> int:
        return (self.place.epoch - 1) * self.pairs.steps + self.place.step

    def _epoch(self) -> None:
        """The rest of the epoch at hand, its validation and its record."""
        place, steps = self.place, self.pairs.steps
        self._began = time.monotonic()
        if self._order is None:
            self._epoch_random = torch.get_rng_state()
            self._order = self.pairs.order()
        while place.step < steps:
            values = self.update(self.pairs.batch(self._order, place.step + 1), place.epoch, place.step + 1)
            for name, value in values.items():
                place.sums[name] = place.sums.get(name, 0.0) + value
            place.step += 1
            self._tell(values["loss"])
            stop, due = self.ranks.any(self.stop is not None and self.stop(), self._due)
            if stop or (due and place.step < steps):
                self._save()
            if stop:
                raise self._interrupted()
        self._close_epoch()

    @property
    def _due(self) -> bool:
        """Whether the rank that saves finds it time to."""
        return self.checkpoints is not None and self.ranks.first and self.checkpoints.due

    def _close_epoch(self) -> None:
        self._check_weights()
        self.update.optimizer.zero_grad()  # the last step's, in whose place the vectors of all items go
        place, steps = self.place, self.pairs.steps
        means = {name: total / steps for name, total in place.sums.items()}
        rate = len(self.pairs) / max(self._seconds, 1e-9)
        ndcg, hr, monitors = self._scored()
        loss, open_paths = means.pop("loss"), self.model.paths.gates.open_share()
        record = EpochRecord(place.epoch, loss, means, ndcg, hr, open_paths, monitors, self._seconds)
        place.curve.append(record)
        if self.curves is not None:
            self.curves.epoch(record)
        # Without validation pairs no epoch can be told better than another: the last one is kept.
        better = ndcg is None or ndcg > place.best
        if better:
            place.best, place.best_epoch, self._kept = ndcg or 0.0, place.epoch, _copy_of(self.model)
        place.epoch, place.step, place.sums, place.spent, self._order = place.epoch + 1, 0, {}, 0.0, None
        self._began = time.monotonic()
        at_end = Progress(
            record.epoch, self.params.epochs, steps, steps, loss, ndcg, rate, open_paths, self._seconds_left
        )  # fmt: skip
        self.report(at_end, last=self._over)
        if self.checkpoints is not None:
            self._save(best=better)

    def _scored(self) -> tuple[float | None, float | None, dict[str, float]]:
        """NDCG@10 and HR@10 as the first rank finds them, None without validation pairs; and its monitors."""
        model = self._with_all_rows()
        figures = None if model is None else self.validation.score(model)
        monitors = {} if model is None else measure(model, self.params.seed)
        if not self.validation.samples:
            return None, None, monitors
        ndcg, hr = self.ranks.as_first(*(figures or (0.0, 0.0)))
        return ndcg, hr, monitors

    @property
    def _seconds(self) -> float:
        """Seconds spent in this epoch, those of earlier processes included."""
        return self.place.spent + time.monotonic() - self._began

    def _tell(self, loss: float) -> None:
        if self.curves is not None:
            self.curves.step(self._steps_done, loss, self.update.optimizer.learning_rate)
        if not self.report.ready:
            return
        place, steps = self.place, self.pairs.steps
        rate = min(place.step * self.params.batch_size, len(self.pairs)) / max(self._seconds, 1e-9)
        ndcg = place.curve[-1].ndcg if place.curve else None
        where = (place.epoch, self.params.epochs, place.step, steps)
        open_paths = self.model.paths.gates.open_share()
        self.report(Progress(*where, loss, ndcg, rate, open_paths, self._seconds_left))

    @property
    def _seconds_left(self) -> float:
        """Seconds to the last epoch's end at the rate of all steps so far, in whatever process they were."""
        if self._over:
            return 0.0
        so_far = self._seconds + sum(record.seconds for record in self.place.curve)
        return so_far * (self.params.epochs * self.pairs.steps / self._steps_done - 1)

    def _save(self, *, best: bool = False) -> None:
        self._check_weights()
        if self.checkpoints is None or not (self.ranks.first or self.tables):
            return
        snapshot = self._snapshot()  # to which ranks that share tables give their rows
        if self.ranks.first:
            self.checkpoints.save(self._steps_done, snapshot, best=best)

    def _snapshot(self) -> Snapshot:
        """Everything that decides how the training goes on."""
        moments, optimizer = self.update.optimizer.state()
        weights, kept = self.model.state_dict(), self._kept
        if self.tables is not None:
            weights, kept, moments = map(self.tables.gathered, (weights, kept, moments))
        tensors = {
            **{_MODEL + name: tensor for name, tensor in weights.items()},
            **{_BEST + name: tensor for name, tensor in kept.items()},
            **{_MOMENTS + name: tensor for name, tensor in moments.items()},
            _EPOCH_RANDOM: self._epoch_random,
            _RANDOM: torch.get_rng_state(),
        }
        place = asdict(self.place) | {"spent": self._seconds}
        state = {
            "place": place,
            "graph": FULL if self.model.fanout is None else SAMPLED,
            "optimizer": optimizer,
            "parts": self.update.parts,
        }
        return Snapshot({name: tensor.cpu() for name, tensor in tensors.items()}, state)

    def _check_weights(self) -> None:
        """A finite gradient can still make weights overflow; what is saved or kept is looked at."""
        weights = self.model.state_dict()
        bad = [name for name, tensor in weights.items() if not torch.isfinite(tensor).all()]
        if self.ranks.any(bool(bad))[0]:  # all go back or none does
            raise NotFinite(
                f"weights are not finite after epoch {self.place.epoch}, step {self.place.step}: "
                + (", ".join(bad) or "another rank's"),
                fix="lower stages.pretrain.learning_rate",
            )

    def _resume(self) -> bool:
        """Goes to the last checkpoint; False where there is none."""
        if self.checkpoints is None:
            return False
        # The first rank chooses for all: another may have looked while an earlier run was still saving.
        newest = self.checkpoints.newest() if self.ranks.first else None
        (chosen,) = self.ranks.as_first(-1 if newest is None else newest)
        if chosen < 0:
            return False
        snapshot = self.checkpoints.open(int(chosen))
        state, tensors = snapshot.state, snapshot.tensors
        mine = (lambda part: part) if self.tables is None else self.tables.mine
        self.model.load_state_dict(mine(_part(tensors, _MODEL)))
        self._kept = {name: t.to(self.device) for name, t in mine(_part(tensors, _BEST)).items()}
        self.update.optimizer.load(mine(_part(tensors, _MOMENTS)), state["optimizer"])
        self.update.parts = state["parts"]
        self.place = Place.from_json(state["place"])
        self._epoch_random = tensors[_EPOCH_RANDOM]
        self._order = None
        if self.place.step or self.place.epoch > 1:
            self._replay_order()
        torch.set_rng_state(tensors[_RANDOM])
        if self.curves is not None:
            self.curves.goes_on(self.place.epoch, self._steps_done + 1)
        return True

    def _replay_order(self) -> None:
        """Draws the order of the epoch at hand again, and notes which pairs were served before."""
        if self.place.epoch > 1:
            self.pairs.mark_served(torch.arange(len(self.pairs)), self.pairs.steps)
        if self.place.step:
            torch.set_rng_state(self._epoch_random)
            self._order = self.pairs.order()
            self.pairs.mark_served(self._order, self.place.step)

    def _roll_back(self, error: NotFinite) -> None:
        """Goes back to the last checkpoint, once a step: what fails again is no passing fault."""
        at = self._steps_done
        if at in self._rolled_back_at or len(self._rolled_back_at) == _MOST_ROLL_BACKS or not self._resume():
            raise error
        self._rolled_back_at.append(at)

    def _interrupted(self) -> Interrupted:
        place = self.place
        saved = "nothing was saved" if self.checkpoints is None else f"saved in {self.checkpoints.folder}"
        return Interrupted(
            f"stopped as asked at epoch {place.epoch}, step {place.step}; {saved}",
            fix="run it again: it goes on from there",
        )


def _copy_of(model: Formulation) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
