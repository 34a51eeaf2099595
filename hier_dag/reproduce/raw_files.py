"""Raw files and tables of an artifact, found where they were and proven to be what they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hier_dag.config.models import PlatformConfig
from hier_dag.errors import SourceError
from hier_dag.ingest.fingerprint import RawInput, fingerprint
from hier_dag.reproduce.declared import RawPlace, declared_of, raw_input
from hier_dag.store import Manifest

_SHORT = 12


def proven_inputs(config: PlatformConfig, manifest: Manifest, place: RawPlace) -> list[RawInput]:
    """The raw inputs of a manifest, every one there and with the digest that is recorded.

    Args:
        config: the declaration, from the manifest.
        manifest: of raw events or links.
        place: where they are looked for.

    Raises:
        SourceError: one is missing or has changed; it is named.
    """
    for entry in manifest.inputs:
        _prove(config, entry, place)
    return [raw_input(entry) for entry in manifest.inputs]


def _prove(config: PlatformConfig, entry: Mapping[str, Any], place: RawPlace) -> None:
    location, domain = str(entry["location"]), entry.get("domain")
    # A glob is narrowed to the one file that is meant.
    declared = declared_of(config, entry).model_copy(update=place.of(entry))
    try:
        found = fingerprint(config, [declared], domain)[0]
    except SourceError as error:
        raise SourceError(
            f"it cannot be read again: {error.message}",
            domain=domain,
            file=location,
            fix="bring it back to where it was, or name the folder that holds it now: --data DIR",
        ) from error
    if found.sha256 != entry["sha256"]:
        raise SourceError(
            f"it has changed since: its digest is {found.sha256[:_SHORT]}… now, {entry['sha256'][:_SHORT]}… "
            "is recorded.",
            domain=domain,
            file=location,
            fix="bring back the delivery that was read (a backup), in a folder of its own: --data DIR",
        )
