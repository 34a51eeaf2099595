"""The zero-shot vectors of an encoder as a file, which is read without torch."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from hier_dag.errors import StoreError
from hier_dag.model.encoding import Encoding
from hier_dag.train.encoding_arrays import arrays_of, encoding_of

ENCODING = "encoding.safetensors"


def save_encoding(encoding: Encoding, folder: Path) -> None:
    """Writes the vectors into a folder; equal ones give equal bytes."""
    save_file(arrays_of(encoding), folder / ENCODING)


def load_encoding(folder: Path) -> Encoding:
    """Reads the zero-shot vectors back.

    Raises:
        StoreError: the file is missing, torn or lacks an array.
    """
    file = folder / ENCODING
    try:
        return encoding_of(load_file(file))
    except (OSError, SafetensorError, TypeError) as error:
        raise unreadable(file, error) from error


def unreadable(file: Path, error: Exception) -> StoreError:
    """That a file of an encoder is missing, torn, or of another graph."""
    return StoreError(
        f"the encoder cannot be read: {error}",
        file=str(file),
        fix="pre-train again, or give the knowledge graph that this encoder was trained on",
    )
