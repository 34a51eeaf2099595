"""A set's files are read through before anything is sent: a database's driver would garble what is found."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from hier_dag.errors import SinkError
from hier_dag.publish.sinks.set_files import FILE_OF, KEY_OF, SIDES, SetFiles


def read_through(files: SetFiles) -> None:
    """Reads every row of both files.

    Raises:
        StoreError: when a file is not what its name says.
    """
    for side in SIDES:
        for _ in files.batches(side):
            pass


def check_text(files: SetFiles, domain: str) -> None:
    """Reads every row of both files, and refuses text with a NUL character, which Postgres cannot hold.

    Raises:
        SinkError: naming file, column and one of the values.
        StoreError: when a file is not what its name says.
    """
    for side in SIDES:
        for batch in files.batches(side):
            for field, column in zip(batch.schema, batch.columns, strict=True):
                if not pa.types.is_string(field.type):
                    continue
                found = column.filter(pc.fill_null(pc.match_substring(column, "\0"), False))
                if len(found):
                    raise SinkError(
                        f"Postgres holds no text with a NUL character, such as {found[0].as_py()[:80]!r}",
                        domain=domain,
                        file=FILE_OF[side],
                        column=KEY_OF[side] if field.name == "id" else field.name,
                        fix="declare `patterns` for the ids of the source, so that such rows are quarantined",
                    )
