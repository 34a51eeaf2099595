"""Asks great-expectations whether a profile's figures are as expected.

Its import takes seconds, so that `warm_up` starts it beside the ingest. It is given a frame of one row, with
analytics off and an in-memory context: nothing is contacted and no folder is made.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Any

from hier_dag.errors import ConfigError
from schemas.expectations.declared import Expectation

_GX = "great_expectations"


@dataclass(frozen=True)
class Answer:
    """Whether one expectation held.

    Attributes:
        expectation: what was expected.
        passed: whether it held.
        observed: the metric's value.
    """

    expectation: Expectation
    passed: bool
    observed: float


def great_expectations() -> Any:
    """The library, with analytics off whatever the environment says."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # What it logs of a bad suite is raised as well; without a handler it would go to standard error.
    logging.getLogger(_GX).addHandler(logging.NullHandler())
    return importlib.import_module(_GX)


def warm_up() -> None:
    """Starts the import on a thread of its own."""
    Thread(target=great_expectations, name="import-great-expectations").start()


def new_context(gx: Any, stores: Mapping[str, Any] | None = None) -> Any:
    """A context in memory.

    Args:
        gx: the library.
        stores: what is to be kept elsewhere, in great-expectations' terms.
    """
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    # Without these it would make a temporary folder for a site.
    config = DataContextConfig(store_backend_defaults=InMemoryStoreBackendDefaults(), data_docs_sites={})
    config.stores.update(stores or {})
    context = gx.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return context


def ask(
    expectations: Sequence[Expectation], metrics: Mapping[str, float], domain: str
) -> tuple[list[Answer], Any]:
    """Runs the expectations on one domain's metrics.

    Args:
        expectations: those whose metric is there; a metric may have several.
        metrics: metric name to value.
        domain: names the suite.

    Returns:
        An answer to each expectation, and great-expectations' own result.

    Raises:
        ConfigError: when an expectation of a user's suite is none that great-expectations knows.
    """
    gx = great_expectations()
    import pandas as pd

    context = new_context(gx)
    suite = gx.ExpectationSuite(
        name=domain, expectations=[_theirs(gx, e, place) for place, e in enumerate(expectations)]
    )
    asset = context.data_sources.add_pandas("profiles").add_dataframe_asset(domain)
    version = asset.add_batch_definition_whole_dataframe("version")
    frame = pd.DataFrame([dict(metrics)], dtype="float64")
    result = version.get_batch(batch_parameters={"dataframe": frame}).validate(suite, result_format="BASIC")
    # Those that could not be asked come first in the result, so each is found by its place.
    held = {r.expectation_config.meta["place"]: bool(r.success) for r in result.results}
    answers = [Answer(e, held[place], metrics[e.metric]) for place, e in enumerate(expectations)]
    return answers, result


def _theirs(gx: Any, expectation: Expectation, place: int) -> Any:
    """An expectation as great-expectations has it."""
    said = f"{expectation.name}: {expectation.says}, {expectation.bound}" if expectation.says else None
    if said and expectation.blocks:
        said += " (blocks)"
    try:
        return gx.expectations.expectation_configuration.ExpectationConfiguration(
            type=expectation.type,
            kwargs=expectation.kwargs,
            severity=expectation.severity,
            description=said,
            meta={**expectation.meta, "place": place, "topic": expectation.suite},
        ).to_domain_obj()
    except (gx.exceptions.GreatExpectationsError, ValueError) as e:
        reason = " ".join(str(e).split())
        raise ConfigError(
            f"great-expectations does not take the expectation {expectation.name}: {reason}.",
            fix="mend the suite, or take it out of `expectations.suites` in domains.yaml",
        ) from e
