"""Bundles of the finished platform, written once: of a target with figures, and of one without."""

import pytest

from hier_dag.audit.bundle import write_bundle
from hier_dag.audit.bundle.verify import read


@pytest.fixture(scope="session")
def grocery_bundle(finished, tmp_path_factory):
    out = tmp_path_factory.mktemp("bundle") / "grocery.zip"
    return write_bundle(finished.store, finished.registry, finished.home, "grocery", out)


@pytest.fixture(scope="session")
def grocery_files(grocery_bundle):
    return read(grocery_bundle)
