"""One sample platform of default size, generated once and only read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from hier_dag.sample import SampleParams, SampleSummary, generate


@dataclass(frozen=True)
class Sample:
    folder: Path
    summary: SampleSummary
    dirty: dict


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Sample:
    folder = tmp_path_factory.mktemp("platform") / "sample"
    summary = generate(folder, SampleParams())
    return Sample(folder, summary, json.loads((folder / "truth" / "dirty.json").read_text()))
