"""Distinct pairs of every domain: split, numbered, and rid of what no domain may train on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import ibis
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from hier_dag.config.models import PlatformConfig
from hier_dag.conservation import Flow
from hier_dag.graph.knowledge_graph import TEST, TRAIN, VALIDATION
from hier_dag.graph.splits import assign_splits, distinct_pairs, global_cut, known_until

EVENTS_TO_PAIRS, PAIRS_TO_SPLIT = "events → pairs", "pairs → split"
AFTER_CUT, HELD_ELSEWHERE = "after_global_cut", "held_out_in_another_domain"
COLUMNS = ("user", "item", "split", "shot_rank", "share_rank", "weight", "first")
_BY_ID = ("user_id", "item_id", *COLUMNS[2:], "events")


def split_pairs(
    con: Backend, config: PlatformConfig, domain: str, files: Sequence[Path]
) -> tuple[ibis.Table, Flow]:
    """A domain's distinct pairs in their splits, by original ids, and what became of its events.

    Args:
        con: engine connection that the table lives in.
        config: the platform.
        domain: the domain.
        files: its canonical event files; none where it has no events.
    """
    if not files:
        schema = {"user_id": "string", "item_id": "string", "event_time": "timestamp('UTC', 6)",
                  "position": "int64", "weight": "float32"}  # fmt: skip
        events = con.create_table(f"no_events_{domain}", schema=ibis.schema(schema), temp=True)
    else:
        events = con.read_parquet([str(f) for f in files])
    split = config.split_of(domain)
    until = known_until(config.domains[domain].role, split, global_cut(map(config.split_of, config.domains)))
    placed = assign_splits(distinct_pairs(events, until), split).select(*_BY_ID)
    table = con.create_table(f"pairs_{domain}", placed, temp=True)
    counts = _counts(table, pairs=table.count(), repeated=(table.events - 1).sum())
    entered = sum(pq.read_metadata(file).num_rows for file in files)
    left, lost = {"pairs": counts["pairs"]}, {"repeated_pair": counts["repeated"]}
    return table, Flow(EVENTS_TO_PAIRS, "events", entered, left, lost, domain)


def trainable_pairs(
    con: Backend,
    config: PlatformConfig,
    pairs: Mapping[str, ibis.Table],
    users: ibis.Table,
    items: ibis.Table,
) -> tuple[dict[str, ibis.Table], list[Flow]]:
    """Numbers the pairs of all domains and drops training pairs that would tell of what is held out.

    A training pair that another domain holds out is dropped, since one shared item must not leak across
    domains; so is one of a source that began at the platform's cut or after it.

    Args:
        con: engine connection.
        config: the platform.
        pairs: as `split_pairs` gives them; they are gone afterwards, to make room.
        users: user, user_id.
        items: item, item_id.

    Returns:
        per domain: `COLUMNS`, in no order; and one flow a domain.
    """
    entered = {d: _counts(table, n=table.count())["n"] for d, table in pairs.items()}
    dense = {d: _numbered(con, d, table, users, items) for d, table in pairs.items()}
    held = ibis.union(
        *(p.filter(p.split != TRAIN).select("user", "item", domain=ibis.literal(d)) for d, p in dense.items())
    )
    held = con.create_table("held_out", held, temp=True)
    cut = global_cut(map(config.split_of, config.domains))
    out, flows = {}, []
    for domain, table in dense.items():
        bound = cut if config.domains[domain].role == "source" else None
        judged = con.create_table(f"judged_{domain}", _judged(table, held, domain, bound), temp=True)
        con.drop_table(f"dense_{domain}")
        flows.append(_flow(domain, entered[domain], judged))
        out[domain] = judged.filter(judged.lost.isnull()).select(*COLUMNS)
    return out, flows


def _numbered(
    con: Backend, domain: str, pairs: ibis.Table, users: ibis.Table, items: ibis.Table
) -> ibis.Table:
    joined = pairs.join(users, "user_id").join(items, "item_id")
    columns = [joined[c] for c in COLUMNS if c != "weight"]
    dense = con.create_table(
        f"dense_{domain}", joined.select(*columns, weight=joined.weight.cast("float32")), temp=True
    )
    con.drop_table(f"pairs_{domain}")
    return dense


def _judged(table: ibis.Table, held: ibis.Table, domain: str, cut: datetime | None) -> ibis.Table:
    """`COLUMNS` and `lost`, the reason why a pair is dropped (null: it is not)."""
    elsewhere = held.filter(held.domain != domain).select("user", "item").distinct()
    elsewhere = elsewhere.select(held_user="user", held_item="item")
    found = table.left_join(elsewhere, [table.user == elsewhere.held_user, table.item == elsewhere.held_item])
    train = found.split == TRAIN
    late = ibis.literal(False) if cut is None else found["first"] >= ibis.literal(cut)
    lost = ibis.cases(
        (train & late, AFTER_CUT),
        (train & found.held_user.notnull(), HELD_ELSEWHERE),
        else_=ibis.null("string"),
    )
    judged = found.mutate(lost=lost).drop("held_user", "held_item")
    # Ranks are counted anew: one shot a user is the first pair that is left.
    order = ibis.window(group_by=[judged.user, judged.split, judged.lost], order_by=judged.shot_rank)
    kept = (judged.split == TRAIN) & judged.lost.isnull()
    rank = ibis.ifelse(kept, ibis.row_number().over(order) + 1, 0).cast("int32")
    return judged.mutate(shot_rank=rank)


def _flow(domain: str, entered: int, judged: ibis.Table) -> Flow:
    kept = judged.lost.isnull()
    splits = {"training": TRAIN, "validation": VALIDATION, "test": TEST}
    left = {name: (kept & (judged.split == split)).sum() for name, split in splits.items()}
    lost = {reason: (judged.lost == reason).sum() for reason in (HELD_ELSEWHERE, AFTER_CUT)}
    counts = _counts(judged, **left, **lost)
    return Flow(
        PAIRS_TO_SPLIT,
        "pairs",
        entered,
        {name: counts[name] for name in left},
        {reason: counts[reason] for reason in lost},
        domain,
    )


def _counts(table: ibis.Table, **counts: ibis.Value) -> dict[str, int]:
    """Several counts of one table, in one scan."""
    return {k: int(v or 0) for k, v in table.aggregate(**counts).to_pyarrow().to_pylist()[0].items()}
