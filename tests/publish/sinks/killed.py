"""A delivery that ends by SIGKILL at a named point, in a process of its own."""

import multiprocessing as mp
import os
import signal
import threading
from dataclasses import replace
from functools import partial

import sqlalchemy as sa

from hier_dag.publish.sinks.make import make_sink
from hier_dag.publish.sinks.set_files import SetFiles

PRELOAD = ["sqlalchemy", "pyarrow.parquet", "hier_dag.publish.sinks.pgvector", "tests.publish.sinks.killed"]

POSTGRES = {
    "users half loaded": ("CREATE TABLE", "_users__v", "batch"),
    "items half loaded": ("CREATE TABLE", "_items__v", "batch"),
    "items without key": ("ALTER TABLE", "_items__v", "before"),
    "index half built": ("CREATE INDEX", "_items__v", "during"),
    "one view swapped": ("CREATE OR REPLACE VIEW", "_items", "before"),
    "old tables still there": ("DROP TABLE", "_items__v", "before"),
    "row of sets not written": ("INSERT INTO", "sets", "before"),
    "not committed": ("COMMIT", "", "before"),
}
LANCE = ["users half written", "items missing", "no row of sets", "nothing cleaned", "cleaned by half"]


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(SetFiles):
    """A set whose reader is killed after the first batch, once `armed`."""

    armed = False

    def batches(self, side):
        for batch in super().batches(side):
            yield batch
            if type(self).armed:
                die()


def deliver(params, files, record, arm):
    arm()
    files = Dying(**{name: getattr(files, name) for name in files.__dataclass_fields__})
    make_sink(params).deliver(files, record)


def arm_postgres(point):
    begins, holds, when = POSTGRES[point]

    def at(text):
        if not (text.lstrip().startswith(begins) and holds in text):
            return
        if when == "batch":
            Dying.armed = True
        elif when == "during":
            threading.Timer(0.1, die).start()
        else:
            die()

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def _statement(connection, cursor, statement, *rest):
        at(statement)

    @sa.event.listens_for(sa.Engine, "commit")
    def _commit(connection):
        # The first commit is that of the schema and the table of sets.
        if connection.info.get("loaded"):
            at("COMMIT")

    @sa.event.listens_for(sa.Engine, "after_cursor_execute")
    def _loaded(connection, cursor, statement, *rest):
        if statement.startswith("INSERT INTO"):
            connection.info["loaded"] = True


def arm_lance(point):
    from lancedb.db import LanceDBConnection

    from hier_dag.publish.sinks import lance, lance_sets

    create, append, drop = LanceDBConnection.create_table, lance_sets.append, LanceDBConnection.drop_table
    dropped = []

    def creating(self, name, *given, **options):
        Dying.armed = point == "users half written" and "_users__v" in name
        if point == "items missing" and "_items__v" in name:
            die()
        return create(self, name, *given, **options)

    def appending(*given):
        if point == "no row of sets":
            die()
        append(*given)
        if point == "nothing cleaned":
            die()

    def dropping(self, name, **options):
        dropped.append(name)
        if point == "cleaned by half" and len(dropped) == 2:
            die()
        return drop(self, name, **options)

    LanceDBConnection.create_table, LanceDBConnection.drop_table = creating, dropping
    lance.lance_sets.append = appending


def kill(params, files, record, arm, point):
    """Runs a delivery that must end by SIGKILL at the point."""
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    process = context.Process(target=deliver, args=(params, files, replace(record), partial(arm, point)))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, f"{point}: ended with {process.exitcode}"
