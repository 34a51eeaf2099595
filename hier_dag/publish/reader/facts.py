"""What set.json says of a set, checked: a format, metric or normalisation that is not known is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hier_dag import __version__
from hier_dag.errors import StoreError
from hier_dag.publish.reader.layout import INDEX_KINDS, METRIC, NORMALISATION, SET_FORMAT
from hier_dag.publish.reader.names import is_space
from hier_dag.publish.reader.reading import RERUN, json_object

_OPTIONAL = ("dim", "users", "items", "space", "index")


@dataclass(frozen=True)
class Facts:
    """What a set says of itself; a set of format 1 need not tell its dimension and counts.

    Attributes:
        format: 1 or 2.
        dim: length of the vectors.
        users: rows of users.parquet.
        items: rows of items.parquet.
        space: id of the vector space, 16 hex digits; None where it is not told.
        index: kind, parameters and recall of the index; None where there is none.
        raw: all of set.json.
    """

    format: int
    dim: int | None
    users: int | None
    items: int | None
    space: str | None
    index: dict[str, Any] | None
    raw: dict[str, Any]


def facts_of(data: bytes, file: str, domain: str) -> Facts:
    """Parses set.json.

    Args:
        data: its bytes.
        file: what it is called in messages.
        domain: the domain whose set was asked for.

    Raises:
        StoreError: when it is damaged, of a newer format, of another domain, metric or normalisation.
    """
    raw = json_object(data, file)
    number = raw.get("format", 1)
    if type(number) is not int or number < 1:
        raise StoreError(f"the set's format is {number!r}", domain=domain, file=file, fix=RERUN)
    if number > SET_FORMAT:
        raise StoreError(
            f"the set has format {number}, newer than the {SET_FORMAT} that this reader knows",
            domain=domain,
            file=file,
            fix=f"install a hier_dag newer than {__version__}, which reads formats 1 to {SET_FORMAT}",
        )
    known = {"domain": (domain,), "metric": (METRIC,), "normalisation": (NORMALISATION,)}
    for key, values in known.items():
        # A set of format 1 says what it knows; one of format 2 says all.
        if (key in raw or number > 1) and raw.get(key) not in values:
            raise StoreError(
                f"the set's {key} is {raw.get(key)!r}; this reader knows {values[0]!r}",
                domain=domain,
                file=file,
                fix="open the right root and domain, with a hier_dag that knows the set",
            )
    wrong = _wrong(raw, number)
    if wrong is not None:
        raise StoreError(f"the set's {wrong} is {raw.get(wrong)!r}", domain=domain, file=file, fix=RERUN)
    return Facts(format=number, raw=raw, **{key: raw.get(key) for key in _OPTIONAL})


def _wrong(raw: dict[str, Any], number: int) -> str | None:
    """The first fact that is no such thing."""
    for key, least in (("dim", 1), ("users", 0), ("items", 0)):
        value = raw.get(key)
        if not (type(value) is int and value >= least) and (number > 1 or value is not None):
            return key
    if not (raw.get("space") is None or is_space(raw["space"])):
        return "space"
    index = raw.get("index")
    if index is not None and not (isinstance(index, dict) and index.get("kind") in INDEX_KINDS):
        return "index"
    return None
