"""The eight mini-apps of the sample platform: what each sells, how large it is, how it keeps its log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["food", "goods", "outing"]
LogFormat = Literal["parquet", "csv", "jsonl", "sqlite"]
Clock = Literal["timestamp", "iso", "s", "ms"]
BEHAVIORS = ("view", "favourite", "order")


@dataclass(frozen=True, kw_only=True)
class Service:
    """One mini-app.

    Attributes:
        name: domain name, a partition key.
        prefix: first characters of its item ids.
        event_share: clean events as a share of the platform's.
        item_share: items as a share of the platform's.
        member_share: share of the platform's established users who may use it.
        days: days before the end of the calendar on which it started.
        growth: how much busier the last day is than the first, 0 for not at all.
        weekend: how much busier a Saturday or Sunday is than a weekday.
        peaks: hours of the day (UTC) at which it is busiest.
        affinity: how strongly it serves each kind of exemplar.
        nouns: last words of its items' names.
        log: where the log is, relative to the platform's folder; None for a service without one.
            `{month}` stands for one file a month.
        format: how the log is written.
        clock: how times are written.
        columns: log column of user_id, item_id, behavior, weight and event_time, in the log's order.
        table: table of an SQLite log.
        behavior: the one behaviour of a log that has no column for it.
    """

    name: str
    prefix: str
    role: Literal["source", "target"]
    event_share: float
    item_share: float
    member_share: float
    days: int
    growth: float
    weekend: float
    peaks: tuple[float, ...]
    affinity: dict[Kind, float]
    nouns: tuple[str, ...]
    log: str | None
    format: LogFormat = "parquet"
    clock: Clock = "timestamp"
    columns: dict[str, str]
    table: str | None = None
    behavior: str | None = None


SERVICES: tuple[Service, ...] = (
    Service(
        name="food_delivery", prefix="fd", role="source", event_share=0.34, item_share=0.22,
        member_share=0.75, days=180, growth=0.3, weekend=1.25, peaks=(12.2, 19.0),
        affinity={"food": 1.0, "goods": 0.08, "outing": 0.15},
        nouns=("Bowl", "Box", "Plate", "Combo", "Platter", "Share Set"),
        log="logs/food_delivery/{month}.parquet",
        columns={"event_time": "ordered_at", "user_id": "customer_id", "item_id": "dish_id",
                 "behavior": "action", "weight": "quantity"},
    ),
    Service(
        name="marketplace", prefix="mp", role="source", event_share=0.31, item_share=0.30,
        member_share=0.70, days=180, growth=0.5, weekend=1.1, peaks=(13.0, 21.0),
        affinity={"food": 0.2, "goods": 1.0, "outing": 0.2},
        nouns=("Set", "Kit", "Starter Pack", "Bundle", "Collection", "Twin Pack"),
        log="logs/marketplace.jsonl.gz", format="jsonl", clock="ms",
        columns={"user_id": "uid", "item_id": "sku", "behavior": "event", "event_time": "at_ms"},
    ),
    Service(
        name="local_guide", prefix="lg", role="source", event_share=0.21, item_share=0.15,
        member_share=0.50, days=180, growth=0.2, weekend=1.6, peaks=(11.0, 17.5),
        affinity={"food": 0.4, "goods": 0.1, "outing": 1.0},
        nouns=("House", "Corner", "Courtyard", "Parlour", "Room", "Works"),
        log="logs/local_guide.csv", format="csv", clock="s",
        columns={"user_id": "visitor", "item_id": "place", "behavior": "kind", "event_time": "epoch"},
    ),
    Service(
        name="grocery", prefix="gr", role="target", event_share=0.05, item_share=0.10,
        member_share=0.20, days=120, growth=1.5, weekend=1.3, peaks=(10.0, 18.0),
        affinity={"food": 1.0, "goods": 0.35, "outing": 0.08},
        nouns=("Bag", "Jar", "Family Pack", "Basket", "Tray", "Bunch"),
        log="logs/grocery.jsonl", format="jsonl", clock="iso",
        columns={"event_time": "time", "user_id": "user", "item_id": "product", "behavior": "type"},
    ),
    Service(
        name="table_booking", prefix="tb", role="target", event_share=0.04, item_share=0.07,
        member_share=0.18, days=110, growth=1.5, weekend=1.5, peaks=(12.0, 19.5),
        affinity={"food": 1.0, "goods": 0.05, "outing": 0.5},
        nouns=("Table", "Kitchen", "Bistro", "Dining Room", "Terrace", "Counter"),
        log="logs/table_booking.sqlite", format="sqlite", clock="iso", table="bookings",
        columns={"user_id": "guest_id", "item_id": "venue_id", "behavior": "step", "event_time": "created"},
    ),
    Service(
        name="recipes", prefix="rc", role="target", event_share=0.03, item_share=0.08,
        member_share=0.14, days=100, growth=1.5, weekend=1.3, peaks=(9.0, 17.0),
        affinity={"food": 1.0, "goods": 0.15, "outing": 0.1},
        nouns=("Recipe", "in Thirty Minutes", "at Home", "for Beginners", "for Two", "for a Crowd"),
        log="logs/recipes.csv.gz", format="csv", clock="iso", behavior="favourite",
        columns={"item_id": "recipe", "user_id": "cook", "weight": "servings", "event_time": "saved_at"},
    ),
    Service(
        name="experiences", prefix="ex", role="target", event_share=0.02, item_share=0.05,
        member_share=0.10, days=90, growth=1.5, weekend=1.9, peaks=(10.5, 20.0),
        affinity={"food": 0.25, "goods": 0.1, "outing": 1.0},
        nouns=("Tour", "Class", "Evening", "Walk", "Workshop", "Day Out"),
        log="logs/experiences.parquet",
        columns={"user_id": "member", "item_id": "experience", "behavior": "action", "event_time": "at"},
    ),
    Service(
        name="meal_kits", prefix="mk", role="target", event_share=0.012, item_share=0.03,
        member_share=0.10, days=20, growth=1.0, weekend=1.2, peaks=(18.0,),
        affinity={"food": 1.0, "goods": 0.05, "outing": 0.05},
        nouns=("Kit for One", "Kit for Two", "Family Kit", "Party Kit"),
        log=None, columns={},
    ),
)  # fmt: skip
