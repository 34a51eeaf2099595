"""How tests ask Postgres what a consumer would ask, and what a sink has left in it."""

from contextlib import contextmanager

import sqlalchemy as sa


@contextmanager
def connected(url):
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        yield connection


def best(url, vector, k=10, view="hier.cafe_live_items"):
    """The k nearest items by inner product, as the documentation tells consumers to ask."""
    with connected(url) as connection:
        query = sa.text(f"SELECT id FROM {view} ORDER BY vector <#> CAST(:v AS vector) LIMIT :k")
        return list(connection.scalars(query, {"v": str([float(x) for x in vector]), "k": k}))


def column(url, name, view):
    with connected(url) as connection:
        return list(connection.scalars(sa.text(f"SELECT {name} FROM {view} ORDER BY id")))


def tables(url, schema="hier"):
    """Every table of the schema but the one of sets."""
    with connected(url) as connection:
        query = sa.text("SELECT tablename FROM pg_tables WHERE schemaname = :s AND tablename <> 'sets'")
        return sorted(connection.scalars(query, {"s": schema}))


def execute(url, *statements):
    with connected(url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
