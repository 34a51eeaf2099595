"""A platform with a small budget for studies, and what it takes to run a cell without Dagster."""

import pytest
import yaml

from hier_dag.study.registry import STUDIES

BUDGET = {
    "shots": ["0", "1"],
    "targets": ["grocery", "recipes"],
    "sensitivity": {"exemplars": [4], "intents": [], "dim": [8], "layers": []},
    "scaling": {"links": [0.5], "sources": [1]},
}


def _declare(platform, **studies):
    """Writes `studies` into a platform's declaration."""
    document = yaml.safe_load(platform.domains.read_text(encoding="utf-8"))
    document["studies"] = {**BUDGET, **studies}
    platform.domains.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return platform


@pytest.fixture
def declare():
    """Writes `studies` into a platform's declaration, over the small budget."""
    return _declare


@pytest.fixture
def studied(own):
    """A finished platform that a test may change, with a small budget for studies."""
    return _declare(own)


@pytest.fixture
def run_cells():
    """Runs a study through Dagster as `hier study` does: cell key to `Done`."""
    from hier_dag.cli.study import run_study

    def run(platform, name, *labels):
        study, config = STUDIES[name], platform.config
        cells = [c for c in study.cells(config) if not labels or {c.label, c.key} & set(labels)]
        done = run_study(study, config, platform.home, platform.workshop(), tuple(cells), quiet=True)
        return {d.step.partition: d for d in done}

    return run
