"""What a database keeps of rows that were removed, where neither a delivery nor an erasure gets to."""

from __future__ import annotations

from sqlalchemy.engine import make_url

from hier_dag.publish.sinks.params import LanceSink, PgVectorSink
from hier_dag.publish.sinks.pg_errors import place


def place_of(params: PgVectorSink | LanceSink) -> str:
    """How messages name a sink: its address, without what may be secret."""
    if isinstance(params, LanceSink):
        return params.uri
    return f"{place(make_url(params.url.get_secret_value()))}#{params.schema_name}"


def kept_beyond_reach(params: PgVectorSink | LanceSink) -> str:
    """What whoever runs the database has to let expire, in words."""
    if isinstance(params, PgVectorSink):
        return "its write-ahead log, replicas and backups"
    return (
        "backups of the folder"
        if params.uri.startswith("/")
        else "backups, and deleted objects where the bucket keeps versions"
    )
