"""Why rows are quarantined: each reason code, what it means and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

EVENTS = "events"
"""What a file of events feeds, as its ledger has it; all else is a kind of link or a catalogue."""


@dataclass(frozen=True)
class Reason:
    """One reason code.

    Attributes:
        code: machine-readable name.
        meaning: what is wrong with the row, in words.
        fix: what to change, in the file or in domains.yaml.
        fix_of_links: the same for links and catalogues, whose declarations have other keys; empty where it
            is no different.
    """

    code: str
    meaning: str
    fix: str
    fix_of_links: str = ""

    def fix_in(self, feeds: str) -> str:
        """What to change in a file that feeds events, a kind of link or a catalogue."""
        return self.fix if feeds == EVENTS else self.fix_of_links or self.fix


_LONG = "is longer than stages.ingest.max_id_length characters"
_LONG_FIX = "two fields have run together, or raise stages.ingest.max_id_length"

_ALL = (
    Reason(
        "malformed_row",
        "the line is not a row: broken JSON, wrong number of fields, an id of another type",
        "write the line again: one object or one full record, quotes closed, ids as text or whole numbers",
    ),
    Reason(
        "null_user",
        "no user id, or a blank one",
        "map `columns.user_id` to the column that holds it; drop events of nobody before export",
        "map `user_id` and `other_id` to the columns that hold them, or leave the row out",
    ),
    Reason(
        "null_item",
        "no item id, or a blank one",
        "map `columns.item_id` to the column that holds it; drop events on nothing before export",
        "map `item_id` (among names `id`) to the column that holds it, or leave the row out",
    ),
    Reason("null_entity", "no entity id, or a blank one", "fill the column, or leave the link out"),
    Reason("null_relation", "no relation, or a blank one", "fill the column, or declare one `relation`"),
    Reason("null_name", "no name, or a blank one", "fill the column, or leave the row out"),
    Reason("long_user", f"the user id {_LONG}", _LONG_FIX),
    Reason("long_item", f"the item id {_LONG}", _LONG_FIX),
    Reason("long_entity", f"the entity id {_LONG}", _LONG_FIX),
    Reason(
        "bad_encoding",
        "control character or U+FFFD in an id: bytes that were not UTF-8, or cut text",
        "export as UTF-8 from the system that made the ids; do not cut ids at a number of bytes",
    ),
    Reason(
        "user_pattern",
        "the user id does not look like one: `patterns.user_id` of the source does not match",
        "check whether columns are swapped or ids have a new form; mend the mapping or the pattern",
    ),
    Reason(
        "item_pattern",
        "the item id does not look like one: `patterns.item_id` of the source does not match",
        "check whether columns are swapped or ids have a new form; mend the mapping or the pattern",
    ),
    Reason(
        "unknown_behavior",
        "behaviour missing, or not among the domain's `behaviors`",
        "add the new behaviour and its weight to `behaviors`, or mend the export",
    ),
    Reason(
        "bad_weight",
        "weight missing, not a number, not finite, or not positive",
        "mend the export, or leave `columns.weight` out so that the behaviour's weight counts alone",
    ),
    Reason(
        "weight_range",
        "weight outside the source's `weight_range`: another unit, or a slip",
        "find out whether the unit changed (cents, grams, seconds); mend the export or the range",
    ),
    Reason(
        "bad_time",
        "event time missing or not in the declared unit",
        "set `time_unit` to how the column is written (iso, s, ms, us), or mend the export",
    ),
    Reason(
        "early_time",
        "event time before stages.ingest.min_time: a default or epoch 0",
        "find out what the time was; set `time_unit`, or lower stages.ingest.min_time if it is true",
    ),
    Reason(
        "future_time",
        "event time later than the build plus stages.ingest.max_future_days",
        "check the clock and `time_unit`; rows that are only ahead become valid when their time comes",
    ),
    Reason(
        "bad_position",
        "position missing or not an integer",
        "number the events of a user with whole numbers, or leave `columns.position` out",
    ),
    Reason(
        "burst",
        "one of more rows of a user in a day than the domain's `max_events_per_user_day`",
        "check whether the user is a bot; leave its rows out of the export, or raise the limit",
    ),
    Reason("self_edge", "a user linked to themselves", "nothing need be done: such an edge says nothing"),
)

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ALL}
"""Every reason by its code, in the order in which rules are tried: of several, the first is the row's."""
