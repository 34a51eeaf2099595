"""Checkpoints: everything that decides how a training goes on, committed atomically and checked on reading.

Layout: `<folder>/step-<number>/tensors.safetensors` and `state.json`, which holds the digest of both. A
checkpoint is staged, fsynced and renamed into place, so that a kill at any time leaves the ones before it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from hier_dag.digest import digest_file, digest_of
from hier_dag.durable import sync_folder, sync_tree
from hier_dag.errors import TrainingError
from hier_dag.train.lock import FILE_MODE, FOLDER_MODE, held

FORMAT = 1
TENSORS, STATE = "tensors.safetensors", "state.json"
_PREFIX, _STAGED = "step-", ".staging-"


@dataclass(frozen=True)
class Snapshot:
    """What a checkpoint holds.

    Attributes:
        tensors: by name, on CPU.
        state: JSON-serialisable; floats come back bit for bit.
    """

    tensors: dict[str, Tensor]
    state: dict[str, Any]


class Checkpoints:
    """The checkpoints of one training, in a folder of its own that one process writes at a time.

    Args:
        folder: made when it is not there, by the process that saves.
        key: names the training: what was made under another key is not resumed.
        every: seconds between checkpoints; 0 saves after every step.
        keep: how many of the newest stay; the newest one of the best epoch stays besides.
        patience: seconds to wait for another process to end.
        reads_only: for the ranks that do not save: nothing is locked or cleaned up.

    Raises:
        Busy: another process trains there.
    """

    def __init__(
        self,
        folder: Path,
        key: str,
        *,
        every: float = 60.0,
        keep: int = 2,
        patience: float = 20.0,
        reads_only: bool = False,
    ) -> None:
        self.folder, self.key, self.every, self.keep = folder, key, every, keep
        self._lock: IO[bytes] | None = None
        self._saved = time.monotonic()
        if reads_only:
            return
        # One that was told to stop may still be saving.
        self._lock = held(folder, patience)
        for left in folder.glob(f"{_STAGED}*"):
            shutil.rmtree(left, ignore_errors=True)

    @property
    def due(self) -> bool:
        """Whether it is time for the next one."""
        return time.monotonic() - self._saved >= self.every

    def save(self, number: int, snapshot: Snapshot, *, best: bool = False) -> None:
        """Commits a checkpoint and drops those that are no longer kept.

        Args:
            number: steps done in all.
            snapshot: what to save.
            best: whether it stands at the end of the best epoch so far.
        """
        staged = self.folder / f"{_STAGED}{uuid.uuid4().hex}"
        staged.mkdir(mode=FOLDER_MODE)
        tensors = staged / TENSORS
        save_file({name: tensor.contiguous() for name, tensor in snapshot.tensors.items()}, tensors)
        body = {
            "format": FORMAT, "key": self.key, "best": best, "state": snapshot.state,
            "tensors": digest_file(tensors),
        }  # fmt: skip
        # In the order given, which is part of what a resumed training goes on with.
        text = json.dumps({**body, "digest": digest_of(body)}, allow_nan=False)
        (staged / STATE).write_text(text, encoding="utf-8")
        for file in (tensors, staged / STATE):
            file.chmod(FILE_MODE)
        sync_tree(staged)
        final = self._folder(number)
        if final.exists():  # a step done again after a roll-back
            os.rename(final, self.folder / f"{_STAGED}{uuid.uuid4().hex}")
        os.rename(staged, final)
        sync_folder(self.folder)
        self._drop()
        self._saved = time.monotonic()

    def latest(self) -> Snapshot | None:
        """The newest checkpoint of this training that is whole; None where there is none."""
        number = self.newest()
        return None if number is None else self.open(number)

    def newest(self) -> int | None:
        """Steps done at the newest checkpoint of this training that is whole; None where there is none."""
        whole = (folder for folder in self._folders() if self._read(folder) is not None)
        newest = next(whole, None)
        return None if newest is None else int(newest.name.removeprefix(_PREFIX))

    def told(self) -> dict[str, Any] | None:
        """The state of this training's newest checkpoint, its tensors unread; None where there is none."""
        bodies = (self._body(folder) for folder in self._folders())
        newest = next((body for body in bodies if body is not None), None)
        return None if newest is None else dict(newest["state"])

    def open(self, number: int) -> Snapshot:
        """The checkpoint after so many steps.

        Raises:
            TrainingError: it is not there or not whole, as where ranks do not share the folder.
        """
        folder = self._folder(number)
        snapshot = self._read(folder)
        if snapshot is None:
            raise TrainingError(
                "a checkpoint that the first rank can read is not whole here",
                file=str(folder),
                fix="keep HIER_HOME on a volume that all ranks see alike",
            )
        return snapshot

    def close(self) -> None:
        """Lets another process train here."""
        if self._lock is not None:
            self._lock.close()

    def _folder(self, number: int) -> Path:
        return self.folder / f"{_PREFIX}{number:012d}"

    def _folders(self) -> list[Path]:
        """Committed checkpoints, newest first."""
        return sorted(self.folder.glob(f"{_PREFIX}*"), reverse=True)

    def _read(self, folder: Path) -> Snapshot | None:
        """What a checkpoint holds; None where it is torn, changed, or of another training or format."""
        body = self._body(folder)
        if body is None:
            return None
        try:
            if digest_file(folder / TENSORS) != body["tensors"]:
                return None
            return Snapshot(load_file(folder / TENSORS), body["state"])
        except (OSError, SafetensorError):
            return None

    def _body(self, folder: Path) -> dict[str, Any] | None:
        try:
            body = json.loads((folder / STATE).read_bytes())
            digest = body.pop("digest")
            known = (body["format"], body["key"]) == (FORMAT, self.key)
            return body if known and digest_of(body) == digest else None
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def _drop(self) -> None:
        folders = self._folders()
        best = next((f for f in folders if (self._body(f) or {}).get("best")), None)
        for folder in folders[self.keep :]:
            if folder != best:
                shutil.rmtree(folder, ignore_errors=True)
        for left in self.folder.glob(f"{_STAGED}*"):
            shutil.rmtree(left, ignore_errors=True)
