"""Curves of a training for TensorBoard: what every epoch's record holds, and loss and learning rate between.

Epochs and steps are runs of their own, `epochs` and `steps` below the training's folder: TensorBoard hides
what a resumed training does anew by its number, which must not be an epoch's in one figure and a step's in
the next.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from hier_dag.errors import ConfigError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from hier_dag.train.pretrained import EpochRecord

EPOCHS, STEPS = "epochs", "steps"
_FLUSH = 10  # seconds that what was written may wait for, so that a kill loses little


class Curves:
    """Writes the curves of one training. One process does: the first rank.

    Args:
        folder: of this training alone; made when it is not there.
        every: steps between two points of the loss and the learning rate. A multiple of it is written
            whenever the training began or was resumed, so that both give the same points.

    Raises:
        ConfigError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path, every: int = 10) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigError(
                "trainer.tensorboard needs the package tensorboard.",
                column="trainer.tensorboard",
                fix="pip install -e '.[tensorboard]', or set it to false",
            ) from error
        self.folder, self.every, self._writer = folder, every, SummaryWriter
        self._open: dict[str, SummaryWriter] = {}

    def goes_on(self, epoch: int, step: int) -> None:
        """Goes on from a place; what stands there and after it was lost with an earlier process.

        Args:
            epoch: the first that will be told, 1-based.
            step: the first that may be told, 1-based, counted from the training's beginning.
        """
        self.close()
        for run, first in ((EPOCHS, epoch), (STEPS, step)):
            folder = self.folder / run
            _wait_for_a_later_name(folder)
            self._open[run] = self._writer(str(folder), purge_step=first, flush_secs=_FLUSH)

    def step(self, number: int, loss: float, learning_rate: float) -> None:
        """Tells of a step, if it is one that is told.

        Args:
            number: 1-based, counted from the training's beginning.
            loss: weighted loss of its batch.
            learning_rate: that the next one takes.
        """
        if number % self.every == 0:
            self._tell(STEPS, number, {"step/loss": loss, "step/learning rate": learning_rate})

    def epoch(self, record: EpochRecord) -> None:
        """Tells of an epoch, at its end."""
        figures = {"loss": record.loss, "open paths": record.open_paths, "seconds": record.seconds}
        figures |= {f"terms/{name}": value for name, value in record.terms.items()}
        figures |= {f"monitors/{name}": value for name, value in record.monitors.items()}
        for name, value in (("NDCG@10", record.ndcg), ("HR@10", record.hr)):
            if value is not None:
                figures[f"validation/{name}"] = value
        self._tell(EPOCHS, record.epoch, figures)
        for writer in self._open.values():
            writer.flush()

    def close(self) -> None:
        """Writes what is left."""
        for writer in self._open.values():
            writer.close()
        self._open = {}

    def _tell(self, run: str, number: int, figures: dict[str, float]) -> None:
        if not self._open:  # nothing was resumed: curves of an earlier training of the same key make way
            self.goes_on(1, 1)
        for name, value in figures.items():
            self._open[run].add_scalar(name, value, number)


def _wait_for_a_later_name(folder: Path) -> None:
    """Waits until a file begun now is read after those that are there, at most a second.

    TensorBoard reads a folder's files by name, which begins with the second that each was begun in; of one
    second, a file named by a smaller process number would be read first and its points be lost.
    """
    last = max((int(path.name.split(".")[3]) for path in folder.glob("events.out.tfevents.*")), default=0)
    wait = last + 1 - time.time()
    if 0 < wait <= 1:
        time.sleep(wait)
