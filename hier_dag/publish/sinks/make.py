"""From a declared sink to one that delivers; a driver is imported only where its sink is declared."""

from __future__ import annotations

from hier_dag.publish.sinks.base import Sink
from hier_dag.publish.sinks.params import LanceSink, PgVectorSink


def make_sink(params: PgVectorSink | LanceSink) -> Sink:
    """The sink that a declaration describes.

    Raises:
        SinkError: when its Python packages are not installed.
    """
    if isinstance(params, PgVectorSink):
        from hier_dag.publish.sinks.pgvector import PgVector

        return PgVector(params)
    from hier_dag.publish.sinks.lance import Lance

    return Lance(params)
