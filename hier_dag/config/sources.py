"""Where raw tables come from and which of their columns holds what: `sources`, `catalogue`, `links`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hier_dag.config.row_rules import Patterns, WeightRange

_STRICT = ConfigDict(extra="forbid", frozen=True)
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")

Format = Literal["parquet", "csv", "jsonl"]
_SUFFIXES: dict[str, Format] = {
    ".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl",
}  # fmt: skip


def climbs(path: str) -> bool:
    """Whether a relative path has a `..`; absolute ones and those from `~` say themselves where they lead."""
    return not path.startswith(("/", "~")) and ".." in path.replace("\\", "/").split("/")


class TableSource(BaseModel):
    """Where a raw table comes from: files by path or glob, or one SQL table by SQLAlchemy URL."""

    model_config = _STRICT
    path: str | None = Field(None, description="file or glob, relative to `data`; .gz is read as it is")
    format: Format | None = Field(None, description="parquet, csv or jsonl; by default from the suffix")
    sql: str | None = Field(None, description="SQLAlchemy URL; secrets as ${VAR}")
    table: str | None = Field(None, description="table of the SQL source, `name` or `schema.name`")
    extra_columns: Literal["allow", "refuse"] = Field(
        "allow", description="what happens when the source has columns that the declaration does not name"
    )
    terms: str | None = Field(None, description="terms of use, for cards and bundles; no part of any digest")

    @model_validator(mode="after")
    def _one_place(self) -> TableSource:
        if (self.path is None) == (self.sql is None):
            raise ValueError("declare either `path` or `sql`, not both and not neither")
        if self.sql is not None and self.table is None:
            raise ValueError("an `sql` source needs `table`")
        if self.path is not None and self.table is not None:
            raise ValueError("`table` belongs to `sql`, not to `path`")
        if self.table is not None and not _TABLE_NAME.fullmatch(self.table):
            raise ValueError(
                f"`table` must be `name` or `schema.name` in plain identifiers, not {self.table!r}"
            )
        if self.path is not None and climbs(self.path):
            raise ValueError(
                f"`path` {self.path!r} leaves `data` by `..`: write the absolute path if it is meant"
            )
        if self.path is not None and self.format is None:
            self.file_format(self.path)
        return self

    def file_format(self, path: str) -> Format:
        """The format of one file: as declared, else from its suffix (`.gz` stripped).

        Raises:
            ValueError: when neither says.
        """
        if self.format is not None:
            return self.format
        suffix = Path(path.removesuffix(".gz")).suffix.lower()
        if suffix not in _SUFFIXES:
            raise ValueError(f"no format declared and none known for {path!r}; use parquet, csv or jsonl")
        return _SUFFIXES[suffix]


class Columns(BaseModel):
    """Which source column holds which canonical one."""

    model_config = _STRICT
    user_id: str = "user_id"
    item_id: str = "item_id"
    behavior: str | None = None
    weight: str | None = Field(None, description="multiplies the behaviour's weight; must be positive")
    event_time: str | None = None
    position: str | None = Field(None, description="integer order of the event in the user's history")


class EventSource(TableSource):
    """One source of a domain's events."""

    columns: Columns = Columns()
    behavior: str | None = Field(None, description="behaviour of every row where no column says")
    time_unit: Literal["iso", "s", "ms", "us"] = Field(
        "iso", description="how event_time is written: ISO 8601 text or a timestamp type, or an epoch count"
    )
    patterns: Patterns = Field(Patterns(), description="what ids look like; others are quarantined")
    weight_range: WeightRange | None = Field(None, description="values that the weight column may have")

    @model_validator(mode="after")
    def _one_behavior(self) -> EventSource:
        if self.behavior is not None and self.columns.behavior is not None:
            raise ValueError("declare `behavior` or `columns.behavior`, not both")
        if self.weight_range is not None and self.columns.weight is None:
            raise ValueError("`weight_range` needs `columns.weight`")
        return self


class Catalogue(TableSource):
    """Items that a domain offers, whether or not anyone has acted on them."""

    item_id: str = "item_id"


def one_or_many(value: object) -> object:
    """A single declaration as a list of one."""
    return [value] if isinstance(value, dict) else value


class ItemEntity(TableSource):
    """Item-entity links."""

    item_id: str = "item_id"
    entity_id: str = "entity_id"
    relation: str = "has_entity"


class EntityEntity(TableSource):
    """Entity-entity triples."""

    head: str = "head"
    tail: str = "tail"
    relation_column: str | None = None
    relation: str = "related_to"


class UserUser(TableSource):
    """User-user edges, undirected."""

    user_id: str = "user_id"
    other_id: str = "other_id"
    relation: str = "knows"


class Names(TableSource):
    """Display names of entities or items."""

    id: str
    name: str = "name"


class Links(BaseModel):
    """What the domains share: links, triples, social edges and names."""

    model_config = _STRICT
    item_entity: tuple[ItemEntity, ...] = ()
    entity_entity: tuple[EntityEntity, ...] = ()
    user_user: tuple[UserUser, ...] = ()
    entity_names: tuple[Names, ...] = ()
    item_names: tuple[Names, ...] = ()

    _wrap = field_validator("*", mode="before")(one_or_many)
