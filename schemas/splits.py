"""Contract of a domain's pairs: training, validation or test, and the ranks that few-shot settings cut at."""

from __future__ import annotations

import ibis.expr.datatypes as dt
from pandera.ibis import Column, DataFrameSchema

from schemas.checks import above, at_least, below, finite, one_of
from schemas.validate import Contract, unique

SPLITS = Contract(
    DataFrameSchema(
        {
            "user": Column(dt.int64, at_least(0), description="dense number of the user"),
            "item": Column(dt.int64, at_least(0), description="dense number of the item"),
            "split": Column(dt.int8, one_of([0, 1, 2]), description="0 training, 1 validation, 2 test"),
            "shot_rank": Column(
                dt.int32,
                at_least(0),
                description="from 1 among the user's training pairs, else 0",
            ),
            "share_rank": Column(
                dt.float64,
                [at_least(0), below(1)],
                description="place for percentage shots, [0, 1)",
            ),
            "weight": Column(dt.float32, [above(0), finite()], description="strength of the pair, > 0"),
            "first": Column(
                dt.Timestamp(timezone="UTC", scale=6),
                nullable=True,
                description="time of its first event, UTC; null where logs say none",
            ),
        }
    ),
    (unique("user", "item", ascending=True),),
)
