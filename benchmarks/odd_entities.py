"""Two cities with odd entities: one whose items have no category, one whose categories are its own.

    HIER_DATA=<yelp_city logs> python benchmarks/odd_entities.py

Runs the pipeline for both in a folder that is thrown away and prints their report.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import sqlalchemy as sa
import yaml

HIER = [sys.executable, "-m", "hier_dag.cli.app"]
BARE, ALONE = "city_10", "city_17"


def main() -> None:
    """Changes the links of two targets, runs and reports."""
    logs = Path(os.environ["HIER_DATA"]).resolve()
    domains = Path(__file__).resolve().parent.parent / "examples" / "yelp_city" / "domains.yaml"
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        for name in ("logs", "friends.parquet"):
            (data / name).symlink_to(logs / name)
        links = pd.read_csv(logs / "item_category.csv", dtype=str)
        bare = pd.read_parquet(logs / "logs" / f"{BARE}.parquet")["item_id"].astype(str)
        engine = sa.create_engine(f"sqlite:///{logs / 'logs' / f'{ALONE}.sqlite'}")
        alone = pd.read_sql("select item_id from reviews", engine)["item_id"].astype(str)
        engine.dispose()
        links = links[~links["item_id"].isin(bare)].copy()
        own = links["item_id"].isin(alone)
        links.loc[own, "category_id"] = f"{ALONE}:" + links.loc[own, "category_id"]
        links.to_csv(data / "item_category.csv", index=False)
        declared = {**yaml.safe_load(domains.read_text(encoding="utf-8")), "data": str(data)}
        declared.setdefault("stages", {}).setdefault("gates", {}).setdefault("transfer", "warn")
        file = Path(folder) / "domains.yaml"
        file.write_text(yaml.safe_dump(declared), encoding="utf-8")
        environment = {**os.environ, "HIER_HOME": folder, "HIER_DOMAINS": str(file)}
        targets = [word for target in (BARE, ALONE) for word in ("--target", target)]
        subprocess.run([*HIER, "run", str(file), *targets], env=environment, check=True)
        subprocess.run([*HIER, "report"], env=environment, check=True)


if __name__ == "__main__":
    main()
