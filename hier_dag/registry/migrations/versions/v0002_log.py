"""The log: what the tables held becomes events, in the order of their times, and a closing event says so."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.orm import Session

from hier_dag.registry.guards import guard
from hier_dag.registry.imported import import_tables
from hier_dag.registry.tables import Base

revision = "0002"
down_revision = "0001"
_OLD = ("parents", "requests", "checks", "decisions", "aliases", "artifacts", "environments")


def upgrade() -> None:
    """Reads the old tables, makes the new ones, and puts what was read on record."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":  # what others write from here on fails, instead of being lost
        op.execute(f"LOCK TABLE {', '.join(_OLD)} IN ACCESS EXCLUSIVE MODE")
    old = sa.MetaData()
    old.reflect(connection, only=_OLD)
    with Session(connection) as session:
        rows = {name: session.execute(old.tables[name].select()).mappings().all() for name in _OLD}
    for name in _OLD:
        op.drop_table(name)
    Base.metadata.create_all(connection)
    guard(connection)
    with Session(connection, join_transaction_mode="create_savepoint") as session, session.begin():
        import_tables(session, rows)
