"""An engine for the contracts."""

import pytest

from hier_dag.ingest.connection import connect


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    with connect(tmp_path_factory.mktemp("scratch"), threads=1) as backend:
        yield backend
