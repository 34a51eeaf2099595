"""The alias file of hier_dag 0.1.0, `live/<domain>.json`: read where there is no version record yet."""

from __future__ import annotations

from hier_dag.errors import StoreError
from hier_dag.names import is_digest, is_name
from hier_dag.publish.reader.layout import RECORDS
from hier_dag.publish.reader.names import checked_name
from hier_dag.publish.reader.places import Place
from hier_dag.publish.reader.reading import json_object
from hier_dag.publish.reader.records import LARGEST, VersionRecord

_ALIAS = "live"
_FIX = "run: hier run (it writes the alias again from the registry)"


def older_record(place: Place, domain: str, alias: str) -> VersionRecord | None:
    """What the older alias file says; None where there is none.

    Raises:
        StoreError: when it is damaged, a link, or names another domain.
    """
    if alias != _ALIAS:
        return None
    name = f"{RECORDS}/{checked_name(domain, 'domain')}.json"
    file = place.told(name)
    try:
        content = json_object(place.read(name, LARGEST), file)
    except FileNotFoundError:
        return None
    version, digest = content.get("version"), content.get("digest")
    if (
        set(content) != {"domain", "version", "digest"}
        or content["domain"] != domain
        or type(version) is not int
        or not is_digest(digest)
    ):
        raise StoreError("the alias file is damaged", domain=domain, file=file, fix=_FIX)
    # It tells no space, so that nothing may be taken for aligned.
    return VersionRecord(
        domain,
        alias,
        version,
        str(digest),
        action="publish",
        change="breaking",
        space=None,
        who="",
        why="",
        created="",
    )


def older_domains(place: Place, alias: str) -> list[str]:
    """Domains that have such a file, in any order."""
    names = place.names(RECORDS) if alias == _ALIAS else []
    return [
        n.removesuffix(".json") for n in names if n.endswith(".json") and is_name(n.removesuffix(".json"))
    ]
