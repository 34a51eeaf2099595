"""What a database cannot hold is found in the files, before anything is sent, and named."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from hier_dag.errors import SinkError
from hier_dag.publish.sinks.set_files import FILE_OF, KEY_OF, SIDES, SetFiles


def check_text(files: SetFiles, domain: str) -> None:
    """Refuses text with a NUL character, which Postgres has no way to hold.

    Raises:
        SinkError: naming file, column and one of the values.
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
