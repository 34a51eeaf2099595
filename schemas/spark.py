"""Tables of Spark as contracts expect them, so that the same contract validates in Spark and in DuckDB."""

from __future__ import annotations

import ibis.expr.types as ir

from hier_dag.engine_functions import UTC_MICROS


def on_spark(table: ir.Table) -> ir.Table:
    """A Spark table whose instants are typed as such.

    Spark's TIMESTAMP is an instant in microseconds, shown in the zone of the session; Ibis reads it as a time
    without a zone. Nothing else differs.

    Args:
        table: of Ibis' Spark back end, in a session whose time zone is UTC.
    """
    instants = {n: UTC_MICROS for n, kind in table.schema().items() if kind.is_timestamp()}
    return table.cast(instants) if instants else table
