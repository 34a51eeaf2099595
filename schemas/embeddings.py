"""Contract of published vectors: one per id, all of one length, finite, none zero, each with its origin."""

from __future__ import annotations

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from pandera.ibis import Column, DataFrameSchema

from hier_dag.engine_functions import list_count
from schemas.checks import not_empty, one_of
from schemas.validate import Contract, Rule, unique, where

ORIGINS = ("trained", "kg_inferred", "fallback")


def _not_finite(t: ir.Table) -> ir.BooleanValue:
    # Sums of float32 run in float64, so only a NaN or an infinity makes one that is not finite.
    total = t.vector.sums()
    return (list_count(t.vector) < t.vector.length()) | total.isnan() | total.isinf()


def _zero(t: ir.Table) -> ir.BooleanValue:
    return (t.vector.length() == 0) | ((t.vector.mins() == 0) & (t.vector.maxs() == 0))


def _other_type(t: ir.Table) -> ir.Table:
    kind = t.vector.type()
    fits = kind.is_array() and kind.value_type.is_float32()
    # pandera's Ibis engine knows no list types. Every row is wrong where the type is.
    return t.select(vector=t.vector.cast("string")).filter(not fits)


def _uneven(t: ir.Table) -> ir.Table:
    longest = t.vector.length().max().as_scalar()
    return t.filter(t.vector.length() != longest).select("vector")


EMBEDDINGS = Contract(
    DataFrameSchema(
        {
            "id": Column(dt.string, not_empty(), description="original id"),
            "vector": Column(description="embedding; a fixed-size list of float32"),
            "origin": Column(dt.string, one_of(ORIGINS), description="trained, kg_inferred or fallback"),
        }
    ),
    (
        unique("id", ascending=True),
        Rule("wrong_type", ("vector",), _other_type),
        Rule("uneven_vector", ("vector",), _uneven),
        where("not_finite", ["vector"], _not_finite),
        where("zero_vector", ["vector"], _zero),
    ),
)
