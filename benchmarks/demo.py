"""Wall time and peak memory of `hier demo`, from nothing: `python benchmarks/demo.py`."""

from __future__ import annotations

import json
import os
import tempfile

from pipeline import HIER, timed  # beside this file


def main() -> None:
    """Measures one demo in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HIER_")}
        environment |= {"HIER_HOME": f"{folder}/home", "HIER_DATA": f"{folder}/logs"}
        seconds, peak, shown = timed([*HIER, "demo"], environment)
    print(shown)
    figures = {"seconds": round(seconds, 1), "peak_rss_mb": round(peak / 1e6), "cores": os.cpu_count()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
