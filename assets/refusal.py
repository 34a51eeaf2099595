"""What the engine refuses, as a step's failure in Dagster."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from assets.metadata import plain
from hier_dag.errors import HierError, RegistryError
from hier_dag.store.failures import StorageError


@contextmanager
def refusals() -> Iterator[None]:
    """Turns an error of ours into a failure that says what and where it is, and what to do.

    Raises:
        dagster.Failure: to be retried where the registry or a disk could not be used, else not.
    """
    try:
        yield
    except HierError as error:
        again = isinstance(error, RegistryError | StorageError)
        raise dg.Failure(str(error), metadata=plain(error.as_dict()), allow_retries=again) from error
