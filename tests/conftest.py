"""A small sample platform, run once a session through `hier run`; tests read it or work on a copy."""

import os
import shutil
import sys
from collections import namedtuple
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import dagster as dg
import pytest

from hier_dag.cli import output
from hier_dag.cli.app import main
from hier_dag.cli.run import run_pipeline
from hier_dag.config import load_config
from hier_dag.definitions import build_definitions
from hier_dag.home import SAMPLE_DOMAINS, Home
from hier_dag.pipeline.workshop import Workshop
from hier_dag.registry import Registry
from hier_dag.sample.generate import generate
from hier_dag.sample.params import SampleParams
from hier_dag.store import ArtifactStore
from tests.databases import POSTGRES, copy_registry, registry_url

TINY_STAGES = """\
trainer: {mode: inline}
stages:
  pretrain: {dim: 16, intents: 4, exemplars: 8, epochs: 2, batch_size: 256, negatives: 64,
    path_weight: 0.03, threads: 1}
  transfer: {shots: ["1"], seeds: [0], bootstrap: 50, finetune_epochs: 1}
  gates: {transfer: warn}
  publish: {space: {breaking: allow}}
"""
OURS = ("HIER_HOME", "HIER_DATA", "HIER_DOMAINS", "HIER_REGISTRY", "DAGSTER_HOME")

Answer = namedtuple("Answer", "code out err")


@dataclass(frozen=True)
class Platform:
    """A sample platform in one folder: its declaration, its logs and all of its state."""

    folder: Path

    @property
    def domains(self):
        return self.folder / "domains.yaml"

    @property
    def data(self):
        return self.folder / "data"

    @property
    def logs(self):
        return self.data / "logs"

    @property
    def state(self):
        return self.folder / "state"

    @property
    def home(self):
        return Home(self.state / "sample")

    @property
    def config(self):
        return load_config(self.domains)

    @property
    def store(self):
        return ArtifactStore(self.home.store)

    @property
    def registry_file(self):
        return self.home.root / "registry.db"

    @cached_property
    def registry(self):
        return Registry(registry_url(self.registry_file), platform=self.home.platform)

    def workshop(self):
        return Workshop(self.store, self.registry)

    def instance(self):
        return dg.DagsterInstance.from_config(str(self.home.dagster()))

    def definitions(self):
        return build_definitions(self.config, self.home)

    def live(self):
        """Bytes of every domain's newest version record."""
        domains = [p.parent.name for p in self.home.live.glob("*/live")]
        return {domain: self.record(domain).read_bytes() for domain in domains}

    def record(self, domain):
        """The file of a domain's newest version record."""
        return max((self.home.live / domain / "live").glob("*.json"))

    def artifacts(self):
        """Every committed artifact's folder."""
        return {m.parent for m in self.home.store.glob("artifacts/*/*/*/manifest.json")}

    def latest(self, kind, partition=None):
        """The newest artifact of a kind and partition."""
        return self.store.open(kind, self.registry.latest(kind, partition))

    def run(self, **options):
        """How each step of `hier run` ended: title to `Done`."""
        results, _ = run_pipeline(self.domains, quiet=True, **options)
        return {done.step.title: done for done in results}

    def outcomes(self, **options):
        """How each step of `hier run` ended: title to made, reused, failed or blocked."""
        return {title: done.outcome for title, done in self.run(**options).items()}

    def environment(self):
        """What makes commands and the code location use this platform."""
        return {
            "HIER_HOME": str(self.state),
            "HIER_DOMAINS": str(self.domains),
            "HIER_REGISTRY": registry_url(self.registry_file),
            "DAGSTER_HOME": str(self.home.dagster()),
        }


@pytest.fixture(scope="session", autouse=True)
def _registries():
    """Homes keep their registries where the tests do."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if POSTGRES:
            here = property(lambda h: os.environ.get("HIER_REGISTRY") or registry_url(h.root / "registry.db"))
            monkeypatch.setattr(Home, "registry_url", here)
        yield


def _enter(monkeypatch, platform):
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HIER_HOME", str(platform.state))


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A platform's declaration and logs; nothing has been run. Only to be copied."""
    platform = Platform(tmp_path_factory.mktemp("drawn"))
    generate(platform.data, SampleParams(users=600, events=12_000))
    text = SAMPLE_DOMAINS.read_text(encoding="utf-8")
    text = text.replace("${HIER_DATA:-../../.hier/sample_logs}", "data")
    platform.domains.write_text(text[: text.index("\nstages:")] + "\n" + TINY_STAGES, encoding="utf-8")
    return platform


@pytest.fixture(scope="session")
def finished(drawn, tmp_path_factory):
    """A platform that `hier run` has published in full. Only to be read or copied."""
    platform = Platform(tmp_path_factory.mktemp("finished"))
    shutil.copytree(drawn.folder, platform.folder, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as monkeypatch:
        _enter(monkeypatch, platform)
        outcomes = platform.outcomes()
    assert set(outcomes.values()) == {"made"}, outcomes
    return platform


@pytest.fixture
def platform(finished, monkeypatch):
    """The finished platform, read-only, with the environment pointing at it."""
    _enter(monkeypatch, finished)
    return finished


@pytest.fixture
def own(finished, tmp_path, monkeypatch):
    """A copy of the finished platform that a test may change, with the environment pointing at it."""
    return _copied(finished, tmp_path, monkeypatch)


@pytest.fixture
def fresh(drawn, tmp_path, monkeypatch):
    """A copy of the logs and the declaration on which nothing has been run."""
    return _copied(drawn, tmp_path, monkeypatch)


def _copied(platform, tmp_path, monkeypatch):
    copy = Platform(Path(shutil.copytree(platform.folder, tmp_path / "platform")))
    copy_registry(platform.registry_file, copy.registry_file)
    _enter(monkeypatch, copy)
    return copy


@pytest.fixture
def hier(monkeypatch, capfd):
    """Calls the `hier` command in this process: exit code, standard output, standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["hier", *map(str, arguments)])
        monkeypatch.setattr(output.out, "width", output.WIDTH_OF_A_LOG)  # whoever runs the tests
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        sys.stdout.flush()
        return Answer(code, *capfd.readouterr())

    return call
