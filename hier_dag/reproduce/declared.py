"""The declaration as far as a manifest holds it: what decides an artifact is there, not in domains.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from hier_dag.config.models import Domain, PlatformConfig
from hier_dag.config.sources import Catalogue, EventSource, Links, TableSource
from hier_dag.config.splits import Split
from hier_dag.config.stages import IngestParams, Stages
from hier_dag.errors import ConfigError
from hier_dag.ingest.fingerprint import RawInput
from hier_dag.store import Manifest

_UNBOUNDED: dict[str, Any] = {"max_decompressed_bytes": 1 << 62, "max_decompressed_ratio": 1e12}
"""Bounds on what a compressed file may become guard against unknown files; recorded ones were accepted."""

_SPLIT: TypeAdapter[Split] = TypeAdapter(Split)


@dataclass(frozen=True)
class RawPlace:
    """Where raw inputs are looked for.

    Attributes:
        data: folder that relative locations start from; None where nobody said.
        urls: URL of a database by its location, which lacks the password: all that manifests hold of it.
    """

    data: Path | None = None
    urls: Mapping[str, str] = field(default_factory=dict)

    def folder(self) -> Path:
        """The folder.

        Raises:
            ConfigError: nobody said where raw files lie.
        """
        if self.data is None:
            raise ConfigError(
                "nothing says where the raw files lie: manifests hold their place below `data` alone.",
                fix="name the folder with --data DIR, or the declaration with --domains FILE",
            )
        return self.data

    def of(self, entry: Mapping[str, Any]) -> dict[str, str]:
        """Where a recorded input lies, as a declaration says it."""
        location = str(entry["location"])
        if entry["format"] != "sql":
            return {"path": location}
        url, _, table = location.rpartition("#")
        return {"sql": self.urls.get(location, url), "table": table}


def events_config(manifest: Manifest, place: RawPlace) -> PlatformConfig:
    """What raw/events of one domain was declared by.

    Args:
        manifest: of the events, or of an ingest of events that was refused.
        place: where raw files lie.
    """
    params = manifest.params
    sources = [
        EventSource.model_validate({**declared, **place.of(_first(manifest, number))})
        for number, declared in enumerate(params["sources"])
    ]
    domain = Domain.model_construct(
        role="source",
        sources=tuple(sources),
        behaviors=params["behaviors"],
        max_events_per_user_day=params["max_events_per_user_day"],
        max_quarantined=params["max_quarantined"],
        max_quarantined_by_reason=params["max_quarantined_by_reason"],
    )
    return _config({str(manifest.partition): domain}, place.folder(), params["rules"])


def links_config(manifest: Manifest, place: RawPlace) -> PlatformConfig:
    """What raw/links was declared by, catalogues of the domains included."""
    params = manifest.params
    links = {
        kind: [
            {**declared, **place.of(_first(manifest, number, kind))}
            for number, declared in enumerate(declared_ones)
        ]
        for kind, declared_ones in params["links"].items()
    }
    domains = {
        name: Domain.model_construct(
            role="source",
            catalogue=tuple(
                Catalogue.model_validate({**one, **place.of(_first(manifest, number, "catalogue", name))})
                for number, one in enumerate(declared_ones)
            ),
        )
        for name, declared_ones in params["catalogues"].items()
    }
    return _config(domains, place.folder(), params["rules"], Links.model_validate(links))


def graph_config(manifest: Manifest) -> PlatformConfig:
    """What kg/graph was declared by; it reads no raw file."""
    roles, splits = manifest.params["domains"], manifest.params["splits"]
    domains = {
        name: Domain.model_construct(**roles[name], split=_SPLIT.validate_python(splits[name]))
        for name in manifest.params.get("order", roles)
    }
    return _config(domains, Path(), {})


def raw_input(entry: Mapping[str, Any]) -> RawInput:
    """A raw input as a manifest records it."""
    return RawInput(**{name: entry.get(name) for name in RawInput.__annotations__})  # type: ignore[arg-type]


def declared_of(config: PlatformConfig, entry: Mapping[str, Any]) -> TableSource:
    """The declaration that names a recorded input."""
    feeds, number = entry.get("feeds"), int(entry["source"])
    if feeds is None:
        return config.domains[str(entry["domain"])].sources[number]
    if feeds == "catalogue":
        return config.domains[str(entry["domain"])].catalogue[number]
    found: TableSource = getattr(config.links, feeds)[number]
    return found


def _config(
    domains: dict[str, Domain], data: Path, rules: Mapping[str, Any], links: Links | None = None
) -> PlatformConfig:
    # Parts were valid when they were recorded; what a whole declaration must have besides is not asked for.
    ingest = IngestParams.model_validate({**rules, **_UNBOUNDED})
    return PlatformConfig.model_construct(
        platform="recorded",
        data=str(data),
        domains=domains,
        links=links or Links(),
        stages=Stages(ingest=ingest),
    )


def _first(
    manifest: Manifest, number: int, feeds: str | None = None, domain: str | None = None
) -> dict[str, Any]:
    """The first input of a declaration; every declaration has one."""
    return next(
        entry
        for entry in manifest.inputs
        if entry["source"] == number
        and entry.get("feeds") == feeds
        and (domain is None or entry["domain"] == domain)
    )
