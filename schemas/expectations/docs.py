"""Data Docs: a static site, readable offline, with a page for every judgement of a domain's events.

It is a view of what the registry's checks record: no artifact depends on it, and it may be deleted.

Layout: `index.html`, `<domain>.html` (leads to the domain's newest page), `validations/`, `expectations/`,
`static/`, and below `store/` what great-expectations keeps the pages from.
"""

from __future__ import annotations

import copy
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hier_dag.durable import replace_file
from hier_dag.pipeline.stages import EVENTS
from schemas.expectations.ask import great_expectations, new_context

KEPT = 10
"""Newest judgements of a domain that keep their pages: the index reads every one of them."""
_STATIC = Path(__file__).parent / "static"
_PAGES = "schemas.expectations.pages"


def write_docs(site: Path, domain: str, result: Any, *, verdict: str, against: str) -> Path:
    """Adds a page for one judgement and renews the index.

    Args:
        site: folder of the site; made when it is not there.
        domain: the domain.
        result: great-expectations' result, as `ask` returns it.
        verdict: what came of it, in a word; names the run.
        against: the version compared with, in a word or two; names the batch.

    Returns:
        The page that leads to the domain's newest one.
    """
    gx = great_expectations()
    (site / "static").mkdir(parents=True, exist_ok=True)
    for file in _STATIC.iterdir():
        if not (site / "static" / file.name).exists():
            shutil.copyfile(file, site / "static" / file.name)
    context = _context(gx, site)
    key = _identifier(domain, verdict, against)
    shown = _by_topic(result, key.run_id)
    context.validation_results_store.set(key, shown)
    # Not `add_or_update`, which compares every expectation with every other.
    (site / "store" / "expectations_store" / f"{domain}.json").unlink(missing_ok=True)
    context.suites.add(
        gx.ExpectationSuite(name=domain, expectations=[r.expectation_config for r in shown.results])
    )
    _forget_old(context.validation_results_store, domain)
    _build(context, site, [key, key.expectation_suite_identifier])
    page = "/".join(["validations", *key.to_tuple()]) + ".html"
    replace_file(site / f"{domain}.html", _LEADS_TO.format(page=page, domain=domain).encode())
    return site / f"{domain}.html"


_LEADS_TO = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="UTF-8"><meta http-equiv="refresh" content="0; url={page}"><title>{domain}</title></head>
<body><a href="{page}">newest judgement of {domain}</a></body>
</html>
"""


def _context(gx: Any, site: Path) -> Any:
    stores = {"validation_results_store": "ValidationResultsStore", "expectations_store": "ExpectationsStore"}
    return new_context(
        gx,
        {
            n: {"class_name": kind, "store_backend": _backend(site / "store" / n)}
            for n, kind in stores.items()
        },
    )


def _backend(folder: Path) -> dict[str, str]:
    return {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)}


def _identifier(domain: str, verdict: str, against: str) -> Any:
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    return ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(name=domain),
        run_id=RunIdentifier(run_name=verdict, run_time=datetime.now(UTC)),
        batch_identifier=against,
    )


def _by_topic(result: Any, run_id: Any) -> Any:
    """The result with its suites in place of its columns: pages have a section a column, of one line each."""
    shown = copy.deepcopy(result)
    shown.meta["run_id"] = run_id
    shown.meta["batch_spec"]["data_asset_name"] = EVENTS
    for entry in shown.results:
        entry.expectation_config.kwargs["column"] = entry.expectation_config.meta["topic"]
        observed = entry.result.get("observed_value")
        if isinstance(observed, float):
            entry.result["observed_value"] = float(f"{observed:.4g}")
    return shown


def _forget_old(store: Any, domain: str) -> None:
    ours = [k for k in store.list_keys() if k.expectation_suite_identifier.name == domain]
    for key in sorted(ours, key=lambda k: k.run_id.run_time)[:-KEPT]:
        store.remove_key(key)


def _build(context: Any, site: Path, changed: list[Any]) -> None:
    from great_expectations.render.renderer.site_builder import SiteBuilder

    page = {"view": {"module_name": _PAGES, "class_name": "OfflinePage"}}
    builder = SiteBuilder(
        data_context=context,
        store_backend=_backend(site),
        site_name=site.parent.name,
        show_how_to_buttons=False,
        site_section_builders={"validations": page, "expectations": page, "profiling": "none"},
        site_index_builder={
            "class_name": "DefaultSiteIndexBuilder",
            "view": {"module_name": _PAGES, "class_name": "OfflineIndex"},
        },
    )
    # Not its own `build`, which copies 3 MB of animations into the site each time.
    for section in builder.site_section_builders.values():
        section.build(resource_identifiers=changed)
    builder.site_index_builder.build()
