"""A second delivery that is not like the first is blocked or flagged by name; one that is goes through."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.builds.events import build_events
from hier_dag.config.models import PlatformConfig
from hier_dag.errors import ContractError
from hier_dag.ingest.connection import connect
from hier_dag.ingest.profile import PROFILE, EventProfile
from hier_dag.pipeline.requests import events_request
from hier_dag.pipeline.stages import EVENTS
from hier_dag.pipeline.workshop import Workshop
from hier_dag.registry import Registry
from hier_dag.store import ArtifactStore
from tests.databases import registry_url

COLUMNS = {"behavior": "what", "weight": "price", "event_time": "at"}
START = np.datetime64("2026-03-01T00:00:00")


def log(days=range(60), rows=4_000, users=400, items=150, seed=0, first_user=0, orders=0.2, scale=1.0):
    """Columns of a log: activity falls off by user and item, events lie between eight and midnight."""
    rng = np.random.default_rng(seed)
    day = rng.choice(np.asarray(days), rows)
    seconds = day * 86_400 + rng.integers(8 * 3_600, 24 * 3_600, rows)
    user = first_user + (users * rng.random(rows) ** 2).astype(int)
    return {
        "user_id": np.char.add("u", user.astype(str)),
        "item_id": np.char.add("i", (items * rng.random(rows) ** 2).astype(int).astype(str)),
        "what": np.where(rng.random(rows) < orders, "order", "view"),
        "price": np.exp(rng.normal(1, 0.5, rows)) * scale,
        "at": START + seconds.astype("timedelta64[s]"),
    }


def joined(*logs):
    return {name: np.concatenate([one[name] for one in logs]) for name in logs[0]}


def bot(events=500):
    one = log(days=[30], rows=events, seed=9)
    return {**one, "user_id": np.full(events, "robot")}


def swapped(columns):
    return {**columns, "user_id": columns["item_id"], "item_id": columns["user_id"]}


@dataclass
class Shop:
    """A platform's shop: its log, its store and registry."""

    folder: Path
    expectations: dict = field(default_factory=dict)

    def __post_init__(self):
        registry = Registry(registry_url(self.folder / "registry.db"), platform="test")
        self.workshop = Workshop(ArtifactStore(self.folder / "store"), registry)

    def deliver(self, columns):
        table = {n: pa.array(v.tolist() if v.dtype.kind == "U" else v) for n, v in columns.items()}
        pq.write_table(pa.table(table), self.folder / "log.parquet")

    def make(self, columns):
        self.deliver(columns)
        shop = {"role": "source", "sources": {"path": "log.parquet", "columns": COLUMNS}}
        other = {"role": "target", "audience": "platform", "catalogue": {"path": "c.csv"}}
        config = PlatformConfig.model_validate(
            {
                "platform": "test",
                "data": str(self.folder),
                "domains": {"shop": {**shop, "expectations": self.expectations}, "other": other},
            }
        )
        return self.workshop.make(
            events_request(config, "shop"),
            lambda request, staged: build_events(
                config, "shop", request, staged, self.workshop, self.connect, self.folder / "docs"
            ),
            run_id="test",
        )

    def connect(self):
        return connect(self.folder / "scratch", threads=1)

    def latest(self):
        return self.workshop.registry.latest(EVENTS, "shop")


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def failed(outcome):
    """Names of what failed, in each of the two checks."""
    checks = {c.name: c for c in outcome.checks}
    return [
        {f["expectation"] for f in checks[name].facts["failed"]}
        for name in ("expectations", "expectations_warned")
    ]


def names_it(name, said):
    """Whether a message names an expectation with what was observed and expected."""
    _, found, after = said.partition(f"{name} (")
    return found and " is " in after and ", expected at " in after


def test_a_first_version_and_ordinary_growth_pass(shop):
    assert failed(shop.make(log())) == [set(), set()]
    grown = joined(log(), log(days=range(60, 75), rows=1_200, users=440, seed=1))
    assert failed(shop.make(grown)) == [set(), set()]


SWAPPED_FILE = joined(log(), swapped(log(rows=400, seed=3)))
BLOCKED = {
    "volume collapse": (log(rows=900, days=range(12)), {"volume_ratio"}),
    "another unit of weights": (log(scale=100.0), {"weight_ks"}),
    "users under new ids": (log(first_user=9_000), {"kept_users"}),
    "a behaviour is gone": (log(orders=0.0), {"lost_behaviors"}),
    "swapped columns": (swapped(log()), {"swapped_ids"}),
    "swapped columns in a tenth of the rows": (SWAPPED_FILE, {"swapped_ids"}),
}
WARNED = {
    "mix of behaviours": (log(orders=0.6), {"behavior_psi"}),
    "surge of new users": (joined(log(), log(first_user=1_000, users=700, seed=2)), {"new_users"}),
    "gap of three weeks": (log(days=[*range(15), *range(36, 60)]), {"gap_growth"}),
    "newest days are missing": (log(days=range(50)), {"lost_days"}),
    "burst of a bot": (joined(log(), bot()), {"burst_growth", "top_user_share"}),
    "another time zone": (
        {**log(), "at": log()["at"] + np.timedelta64(8, "h")},
        {"hour_psi", "hour_ks"},
    ),
    "another unit in a fifth of the rows": (
        joined(log(), log(rows=1_000, seed=4, scale=100.0)),
        {"weight_psi"},
    ),
}


@pytest.mark.parametrize("story", BLOCKED)
def test_what_cannot_be_right_is_blocked(shop, story):
    columns, names = BLOCKED[story]
    accepted = shop.make(log()).artifact
    with pytest.raises(ContractError) as refused:
        shop.make(columns)
    said = str(refused.value)
    assert "domain shop" in said
    for name in names:
        assert names_it(name, said), said
    assert f"The last accepted version is {accepted.digest[:12]}" in said
    assert "under domains.shop.expectations in domains.yaml" in said
    assert shop.latest() == accepted.digest, "nothing was committed"
    found = {c.name: c for c in refused.value.checks}
    assert names <= {f["expectation"] for f in found["expectations"].facts["failed"]}
    assert found["expectations"].facts["against"] == accepted.digest
    assert "blocked" in (shop.folder / "docs" / "shop.html").read_text()

    names = {f["expectation"] for f in found["expectations"].facts["failed"]}
    shop.expectations = {name: {"level": "warn"} for name in names}
    assert names <= failed(shop.make(columns))[1], "accepted knowingly"
    assert shop.latest() != accepted.digest


@pytest.mark.parametrize("story", WARNED)
def test_what_is_only_odd_is_committed_and_flagged(shop, story):
    columns, names = WARNED[story]
    shop.make(log())
    outcome = shop.make(columns)
    blocking, warned = failed(outcome)
    assert blocking == set()
    assert names <= warned
    assert shop.latest() == outcome.artifact.digest
    facts = {c.name: c.facts for c in outcome.checks}["expectations_warned"]
    assert all(names_it(name, facts["message"]) for name in names)
    assert "set another bound" in facts["fix"]
    assert "warned" in (shop.folder / "docs" / "shop.html").read_text()


def test_swapped_columns_are_seen_in_a_first_version_too(shop):
    blocking, warned = failed(shop.make(SWAPPED_FILE))
    assert (blocking, warned) == (set(), {"users_as_items"})


def test_the_digest_does_not_depend_on_what_was_there_before(shop, tmp_path_factory):
    afresh = Shop(tmp_path_factory.mktemp("afresh")).make(log(seed=1)).artifact
    shop.make(log())
    again = shop.make(log(seed=1)).artifact
    assert again.digest == afresh.digest
    profile = EventProfile.read(again.path)
    assert profile.rows == 4_000
    assert PROFILE in {f.path for f in again.manifest.files}


def test_drift_never_reads_old_events(shop):
    first = shop.make(log()).artifact
    (first.path / "events").rename(first.path / "gone")
    with pytest.raises(ContractError, match="volume_ratio"):
        shop.make(log(rows=900))
