"""How much of the exact answer an index in Postgres finds: inner products are hard for a graph index."""

from __future__ import annotations

import sqlalchemy as sa

USERS = 50
K = 10


def recall(connection: sa.Connection, users: str, items: str, ext: str) -> float | None:
    """Share of the ten best items that the index finds, with the server's own search options.

    Args:
        connection: in the delivery's transaction, whose settings stay as they are.
        users: qualified and quoted name of the users' table; 50 of them are asked for.
        items: of the items' table, which has the index.
        ext: schema of pgvector, quoted.

    Returns:
        Recall@10 in 0..1, the mean over the users; None without users.
    """
    # hashtext: always the same users, wherever their ids are in the alphabet.
    query = (
        f"SELECT ARRAY(SELECT i.id FROM {items} i ORDER BY i.vector OPERATOR({ext}.<#>) u.vector LIMIT {K}) "
        f"FROM (SELECT id, vector FROM {users} ORDER BY hashtext(id), id LIMIT {USERS}) u ORDER BY u.id"
    )
    answers = []
    for off in ("enable_seqscan", "enable_indexscan"):
        with connection.begin_nested() as settings:
            connection.exec_driver_sql(f"SET LOCAL {off} = off")
            answers.append(list(connection.exec_driver_sql(query).scalars()))
            settings.rollback()
    shares = [len(set(found) & set(exact)) / len(exact) for found, exact in zip(*answers, strict=True)]
    return round(sum(shares) / len(shares), 4) if shares else None
