"""What the sets of one Postgres schema share: the extension, the schema, the table of what is in force."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from hier_dag.errors import SinkError


def sets_table(schema: str) -> sa.Table:
    """One row for each domain and alias: the version in force and where it is queried."""
    text, big = sa.Text, sa.BigInteger
    return sa.Table(
        "sets",
        sa.MetaData(schema=schema),
        sa.Column("domain", text, primary_key=True),
        sa.Column("alias", text, primary_key=True),
        sa.Column("version", big, nullable=False),
        sa.Column("digest", text, nullable=False),
        sa.Column("dim", sa.Integer, nullable=False),
        sa.Column("space", text),
        sa.Column("metric", text, nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_rows", big, nullable=False),
        sa.Column("item_rows", big, nullable=False),
        # Unique: should two names ever be shortened to one, the second is refused and nothing overwritten.
        sa.Column("users_view", text, nullable=False, unique=True),
        sa.Column("items_view", text, nullable=False, unique=True),
    )


def prepare(connection: sa.Connection, schema: str) -> None:
    """Makes schema and table of sets where they are not there, in a transaction of their own.

    Each is looked for first: `IF NOT EXISTS` asks for the right to make it even where it is there.
    """
    with connection.begin():
        lock(connection, schema)
        if connection.scalar(sa.text("SELECT to_regnamespace(quote_ident(:s))"), {"s": schema}) is None:
            connection.execute(sa.schema.CreateSchema(schema))
        sets_table(schema).create(connection, checkfirst=True)


def lock(connection: sa.Connection, *what: str) -> None:
    """Waits until no other delivery holds the same words, and holds them until the transaction ends."""
    key = hashlib.sha256("/".join(("hier_dag sink", *what)).encode()).digest()[:8]
    number = int.from_bytes(key, "big", signed=True)
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": number})


def extension_schema(connection: sa.Connection, domain: str, where: str) -> str:
    """The schema that pgvector's types and operators are in, quoted.

    Raises:
        SinkError: when the database does not have the extension; it is for its owner to decide.
    """
    found = connection.scalar(
        sa.text("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector'")
    )
    if found is not None:
        return str(found)
    offered = connection.scalar(
        sa.text("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
    )
    raise SinkError(
        "the database lacks the extension pgvector",
        domain=domain,
        file=where,
        fix="run in it: CREATE EXTENSION vector (needs CREATE on the database)"
        if offered
        else "install the pgvector package on the server, then run in the database: CREATE EXTENSION vector",
    )
