"""A platform small enough to check by hand: two domains, three users, four items, three entities."""

from datetime import UTC, datetime

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.config import PlatformConfig

DAY = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 29)]


def events_table(rows):
    """Canonical events from (user, item, day or None, position or None, weight)."""
    user, item, day, position, weight = zip(*rows, strict=True) if rows else ((),) * 5
    return pa.table(
        {
            "user_id": pa.array(user, pa.string()),
            "item_id": pa.array(item, pa.string()),
            "behavior": pa.array(["view"] * len(rows), pa.string()),
            "weight": pa.array(weight, pa.float32()),
            "event_time": pa.array([None if d is None else DAY[d] for d in day], pa.timestamp("us", "UTC")),
            "position": pa.array(position, pa.int64()),
            "file": pa.array([0] * len(rows), pa.int32()),
            "row": pa.array(range(1, len(rows) + 1), pa.int64()),
        }
    )


@pytest.fixture
def con():
    backend = ibis.duckdb.connect()
    yield backend
    backend.disconnect()


@pytest.fixture
def write(tmp_path):
    def events(domain, rows):
        path = tmp_path / f"{domain}.parquet"
        pq.write_table(events_table(rows), path)
        return [path]

    return events


@pytest.fixture
def links(tmp_path):
    """A links artifact: items i1, i2 in tea, i3 in cake, cake below food; i4 has no entity."""
    folder = tmp_path / "links"
    folder.mkdir()
    strings = lambda **columns: pa.table({k: pa.array(v, pa.string()) for k, v in columns.items()})  # noqa: E731
    tables = {
        "item_entity": strings(
            item_id=["i1", "i2", "i3"], entity_id=["tea", "tea", "cake"], relation=["in"] * 3
        ),
        "entity_entity": strings(head=["cake"], relation=["below"], tail=["food"]),
        "user_user": strings(user_id=["u1", "u1"], other_id=["u2", "stranger"], relation=["knows"] * 2),
        "entity_names": strings(entity_id=["tea"], name=["Tea & infusions"]),
        "item_names": strings(item_id=["i1"], name=["Green tea"]),
        "catalogue": strings(domain=["cafe"], item_id=["i4"]),
    }
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


@pytest.fixture
def platform():
    def make(**splits):
        source = {"path": "x.csv", "columns": {"event_time": "t", "position": "p"}}
        return PlatformConfig.model_validate(
            {
                "platform": "tiny",
                "splits": splits,
                "domains": {
                    "shop": {"role": "source", "sources": source},
                    "cafe": {"role": "target", "sources": source},
                },
            }
        )

    return make
