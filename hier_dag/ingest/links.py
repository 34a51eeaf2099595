"""What the domains share: links, triples, social edges, names and catalogues, one table each.

An undirected social edge is stored once, the id that is smaller in byte order first. Of two names for one id
the first, by file and row, stays.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from hier_dag.config.models import PlatformConfig
from hier_dag.config.sources import TableSource
from hier_dag.erasure.erased import Erased
from hier_dag.ingest.erased_rows import ErasedRows
from hier_dag.ingest.fingerprint import RawInput, fingerprint
from hier_dag.ingest.ledger import FileLedger, Ledger
from hier_dag.ingest.limits import Limits, check_quarantined
from hier_dag.ingest.readers import read_raw, reading
from hier_dag.ingest.rules import RowRule, blank, id_rules, malformed, verdict
from hier_dag.ingest.writing import part_name, to_parquet, write_distinct

TOLERATED = frozenset({"self_edge"})
"""Reasons that do not count towards the limit: an edge to oneself says nothing, yet is no damage."""


@dataclass(frozen=True)
class LinkKind:
    """One kind of shared table.

    Attributes:
        columns: columns of the canonical table, in order.
        ids: what each id column names: user, item or entity.
        fields: attribute of the declaration that names the source column of a canonical one.
        key: columns that make two rows the same.
    """

    columns: tuple[str, ...]
    ids: Mapping[str, str]
    fields: Mapping[str, str]
    key: tuple[str, ...]


_ITEM, _ENTITY = {"item_id": "item"}, {"entity_id": "entity"}
_PAIR, _TRIPLE = ("user_id", "other_id", "relation"), ("head", "relation", "tail")
KINDS: dict[str, LinkKind] = {
    "item_entity": LinkKind(
        ("item_id", "entity_id", "relation"),
        _ITEM | _ENTITY,
        {"item_id": "item_id", "entity_id": "entity_id"},
        ("item_id", "entity_id", "relation"),
    ),
    "entity_entity": LinkKind(
        _TRIPLE,
        {"head": "entity", "tail": "entity"},
        {"head": "head", "tail": "tail", "relation": "relation_column"},
        _TRIPLE,
    ),
    "user_user": LinkKind(
        _PAIR, {"user_id": "user", "other_id": "user"}, {"user_id": "user_id", "other_id": "other_id"}, _PAIR
    ),
    "entity_names": LinkKind(
        ("entity_id", "name"), _ENTITY, {"entity_id": "id", "name": "name"}, ("entity_id",)
    ),
    "item_names": LinkKind(("item_id", "name"), _ITEM, {"item_id": "id", "name": "name"}, ("item_id",)),
    "catalogue": LinkKind(("domain", "item_id"), _ITEM, {"item_id": "item_id"}, ("domain", "item_id")),
}


@dataclass(frozen=True)
class LinkInput:
    """A raw input and the table it feeds.

    Attributes:
        raw: the input.
        feeds: a key of `KINDS`.
        declared: its declaration.
    """

    raw: RawInput
    feeds: str
    declared: TableSource


def link_inputs(config: PlatformConfig) -> list[LinkInput]:
    """Hashes every file and table of `links` and of every domain's `catalogue`, in the order of `KINDS`.

    Raises:
        SourceError: when one is missing or empty.
    """
    declared: list[tuple[str, str | None, Sequence[TableSource]]] = [
        (kind, None, getattr(config.links, kind)) for kind in KINDS if kind != "catalogue"
    ]
    declared += [("catalogue", name, d.catalogue) for name, d in config.domains.items()]
    return [
        LinkInput(raw, kind, sources[raw.source])
        for kind, domain, sources in declared
        for raw in fingerprint(config, sources, domain)
    ]


def ingest_links(
    config: PlatformConfig,
    inputs: Sequence[LinkInput],
    out: Path,
    *,
    con: Backend,
    erased: Erased | None = None,
) -> Ledger:
    """Writes one Parquet file per kind (empty where nothing is declared), `quarantine/` and `ledger.json`.

    Args:
        config: the platform.
        inputs: as `link_inputs` gives them.
        out: an empty folder.
        con: the engine.
        erased: users whose edges are left out; None where nobody was erased.

    Returns:
        The ledger that was written; its domain is None.

    Raises:
        SourceError: when a file cannot be read or lacks a column.
        ContractError: when too many rows are quarantined, or a row is unaccounted for.
    """
    out.mkdir(parents=True, exist_ok=True)
    files: list[FileLedger] = []
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".ingest-") as folder:
        scratch = Path(folder)
        parts: dict[str, list[Path]] = {kind: [] for kind in KINDS}
        for index, link in enumerate(inputs):
            part = scratch / f"{link.feeds}-{index}.parquet"
            entry = _ingest_file(config, con, link, index, part, parts[link.feeds], out, erased)
            files.append(entry.check())
            parts[link.feeds].append(part)
        for kind, written in parts.items():
            _gather(con, kind, written, out / f"{kind}.parquet")
    ledger = Ledger(None, tuple(files))
    # Written first: where the domain is refused, the rows that it lost are kept with their ledger.
    ledger.write(out / "ledger.json")
    rules = config.stages.ingest
    check_quarantined(
        con, ledger, Limits(rules.max_quarantined, rules.max_quarantined_by_reason, TOLERATED), out
    )
    return ledger


def _ingest_file(
    config: PlatformConfig,
    con: Backend,
    link: LinkInput,
    index: int,
    part: Path,
    earlier: Sequence[Path],
    out: Path,
    erased: Erased | None,
) -> FileLedger:
    raw, kind = link.raw, KINDS[link.feeds]
    place = {"domain": raw.domain, "file": raw.location}
    fields = {name: getattr(link.declared, field) for name, field in kind.fields.items()}
    mapping = {name: column for name, column in fields.items() if column is not None}
    staged = part.with_suffix(".staged")
    table = read_raw(con, config, link.declared, raw, mapping, frozenset(kind.ids), staged)
    with reading(place):
        judged = _judge(table.table, link, mapping, index, config.stages.ingest.max_id_length)
        quarantine = out / "quarantine" / part_name(index, raw.sha256)
        columns = (*kind.columns, "file", "row")
        users = [c for c, what in kind.ids.items() if what == "user"]
        gone = None if erased is None else ErasedRows.among(con, judged, users, erased)
        written = write_distinct(con, judged, kind.key, columns, part, quarantine, earlier, erased=gone)
    staged.unlink(missing_ok=True)
    return FileLedger(
        location=raw.location,
        feeds=link.feeds,
        domain=raw.domain,
        sha256=raw.sha256,
        bytes=raw.bytes,
        chain="",
        rows_in=table.rows,
        rows_out=written.rows_out,
        quarantined=written.quarantined,
        deduplicated=written.deduplicated,
        erased=written.erased,
    )


def _judge(raw: ir.Table, link: LinkInput, mapping: Mapping[str, str], file: int, longest: int) -> ir.Table:
    """Canonical columns, file int32, row int64, verdict and raw of every row."""
    kind = KINDS[link.feeds]
    constants = {"relation": getattr(link.declared, "relation", None), "domain": link.raw.domain}
    values = {c: raw[c].cast("string") if c in mapping else ibis.literal(constants[c]) for c in kind.columns}
    given = {name: raw[c].cast("string") for c, name in mapping.items()}
    text = ibis.coalesce(raw.malformed, ibis.struct(given).cast("json").cast("string"))
    t = raw.select(**values, file=ibis.literal(file, "int32"), row=raw.row, malformed=raw.malformed, raw=text)
    judged = t.mutate(**verdict(_rules(t, link, mapping, longest))).drop("malformed")
    if link.feeds != "user_user":
        return judged
    smaller, larger = ibis.least(t.user_id, t.other_id), ibis.greatest(t.user_id, t.other_id)
    return judged.mutate(user_id=smaller, other_id=larger)


def _rules(t: ir.Table, link: LinkInput, mapping: Mapping[str, str], longest: int) -> list[RowRule]:
    ids = KINDS[link.feeds].ids
    rules = [malformed(t)]
    for column, what in ids.items():
        rules += id_rules(t[column], what, mapping[column], longest)
    for column in ("relation", "name"):
        if column in mapping:
            rules.append(RowRule(f"null_{column}", mapping[column], blank(t[column])))
    if link.feeds == "user_user":
        rules.append(RowRule("self_edge", mapping["other_id"], t.user_id == t.other_id))
    return rules


def _gather(con: Backend, kind: str, parts: Sequence[Path], out: Path) -> None:
    columns = (*KINDS[kind].columns, "file", "row")
    if not parts:
        fields = [pa.field(c, pa.string()) for c in columns[:-2]]
        empty = pa.schema([*fields, pa.field("file", pa.int32()), pa.field("row", pa.int64())]).empty_table()
        pq.write_table(empty, out, compression="zstd", store_schema=False)
        return
    rows = con.read_parquet([str(p) for p in parts]).order_by(["file", "row"])
    to_parquet(con, rows.select(*columns), out)
