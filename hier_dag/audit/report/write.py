"""The lineage report as files: JSON for programs, a page that works offline, Markdown for a review."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hier_dag.audit.card.html import html
from hier_dag.audit.card.markdown import markdown
from hier_dag.audit.report.page import report_page
from hier_dag.durable import replace_file
from hier_dag.store.failures import told

HTML, MARKDOWN, JSON = "lineage.html", "lineage.md", "lineage.json"


def write_report(report: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Writes a report's files, each replaced as a whole; equal reports give equal bytes.

    Args:
        report: as `platform_report` gives it.
        folder: made if need be.

    Returns:
        Path by name: `lineage.html`, `lineage.md`, `lineage.json`.

    Raises:
        StoreError: the disk refuses.
    """
    page = report_page(report)
    texts = {HTML: html(page), MARKDOWN: markdown(page), JSON: json.dumps(report, indent=1) + "\n"}
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            replace_file(folder / name, text.encode())
    return {name: folder / name for name in texts}
