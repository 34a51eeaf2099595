"""A small store with a registry beside it, made by hand."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hier_dag.config import load_config
from hier_dag.digest import digest_of
from hier_dag.environment import environment_digest
from hier_dag.home import Home
from hier_dag.registry import Move, Registry
from hier_dag.retention.collect import collect
from hier_dag.retention.keep import Rules
from hier_dag.retention.plan import Retention
from hier_dag.store import ArtifactStore, Manifest
from tests.databases import registry_url

DECLARATION = """\
platform: town
domains:
  shop: {role: source, sources: {path: shop.csv, columns: {user_id: u, item_id: i}}}
  cafe: {role: target, sources: {path: cafe.csv, columns: {user_id: u, item_id: i}}}
"""
LATER = timedelta(days=30)
"""Long after everything that a test makes."""


class Town:
    """One platform: artifacts are made, recorded and published in a line each."""

    def __init__(self, folder: Path, platform: str = "town") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.declaration = folder / "domains.yaml"
        self.declaration.write_text(DECLARATION)
        self.home = Home(folder / "state" / platform)
        self.home.root.mkdir(parents=True, exist_ok=True)
        self.store = ArtifactStore(self.home.store)
        self.registry = Registry(registry_url(self.home.root / "registry.db"), platform=platform)

    def commit(self, text, kind="kg/graph", partition=None, parents=()):
        with self.store.stage(kind) as staged:
            (staged / "f").write_text(text)
            manifest = Manifest(
                kind=kind,
                partition=partition,
                request_key=digest_of([text, kind]),
                code_version="1",
                params={},
                parents={f"r{n}": d for n, d in enumerate(parents)},
                environment=environment_digest(),
            )
            return self.store.commit(staged, manifest)

    def record(self, artifact):
        self.registry.record(artifact, [], run_id="r", seconds=0)

    def make(self, text, kind="kg/graph", partition=None, parents=()):
        artifact = self.commit(text, kind, partition, parents)
        self.record(artifact)
        return artifact.digest

    def publish(self, text, alias="live", parents=(), domain="cafe"):
        digest = self.make(text, "publish/embeddings", domain, parents)
        self.move(digest, alias, domain)
        return digest

    def move(self, digest, alias="live", domain="cafe", action="publish"):
        return self.registry.move_alias(Move(domain, alias, digest, "r", "w", action=action))

    def age(self):
        """Everything was made, recorded and last used years ago."""
        with self.registry._engine.begin() as database:
            for table in ("artifacts", "requests", "aliases"):
                database.exec_driver_sql(f"UPDATE {table} SET created_at = '2020-01-01 00:00:00.000000'")
        for folder in (self.home.store / "artifacts").glob("*/*/*"):
            os.utime(folder, (0, 0))

    def there(self):
        return {p.name for p in (self.home.store / "artifacts").glob("*/*/*")}

    def retention(self, keep=3, grace=timedelta(days=1)):
        return Retention(load_config(self.declaration), self.home, self.registry, Rules(keep, grace))

    def plan(self, later=LATER, **rules):
        return self.retention(**rules).plan(datetime.now(UTC) + later)

    def collect(self, later=LATER, **rules):
        return collect(self.retention(**rules), datetime.now(UTC) + later)

    def why(self, later=LATER, **rules):
        """Why each artifact would go, by digest."""
        return {g.artifact.digest: g.why for g in self.plan(later, **rules).going}


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path)
