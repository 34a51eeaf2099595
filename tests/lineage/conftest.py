"""A registry and a store that tests fill in a line an artifact."""

import json

import pytest

from hier_dag.digest import digest_of
from hier_dag.environment import environment_digest
from hier_dag.registry import Move, Registry
from hier_dag.store import ArtifactStore, Manifest
from tests.databases import registry_url


class Works:
    """Makes artifacts and puts them on record."""

    def __init__(self, folder, platform="town"):
        self.store = ArtifactStore(folder / platform / "store")
        self.registry = Registry(registry_url(folder / "registry.db"), platform=platform)
        self.stores = {platform: self.store}

    def make(self, kind, partition=None, parents=None, *, files=None, inputs=(), **fields):
        """Commits and records an artifact; its digest."""
        fields = {"code_version": "1", "params": {}, "environment": environment_digest(), **fields}
        known = [{"location": at, "sha256": sha, "bytes": 1, "domain": partition} for at, sha in inputs]
        with self.store.stage(kind) as staged:
            for name, write in (files or {}).items():
                write(staged / name)
            (staged / "f").write_text(json.dumps([kind, partition, known, parents, fields]))
            manifest = Manifest(
                kind=kind, partition=partition, parents=parents or {}, inputs=known,
                request_key=digest_of([kind, partition, known, parents, fields]), **fields,
            )  # fmt: skip
            artifact = self.store.commit(staged, manifest)
        self.registry.record(artifact, [], run_id="run", seconds=1)
        return artifact.digest

    def publish(self, domain, digest, alias="live", action="publish"):
        """Moves an alias to a set; its version."""
        return self.registry.move_alias(Move(domain, alias, digest, "run", "w", action=action)).version

    def line(self, domain, files, anchor=None, **params):
        """Events of a domain, a graph, an encoder, a model and a set of it: digests by kind."""
        events = self.make("raw/events", domain, inputs=files)
        graph = self.make("kg/graph", None, {f"events:{domain}": events})
        encoder = self.make("pretrain/encoder", None, {"graph": graph}, params=params, seeds=[0])
        above = {"graph": graph, "encoder": encoder}
        model = self.make("finetune/model", domain, above)
        parents = {**above, "model": model} | ({"anchor": anchor} if anchor else {})
        published = self.make("publish/embeddings", domain, parents)
        kinds = ("raw/events", "kg/graph", "pretrain/encoder", "finetune/model", "publish/embeddings")
        return dict(zip(kinds, (events, graph, encoder, model, published), strict=True))


@pytest.fixture
def works(tmp_path):
    return Works(tmp_path)
