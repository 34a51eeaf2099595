"""OpenLineage of every materialisation: Dagster's event log, wrapped, for an instance's dagster.yaml.

dagster-openlineage 0.2.1 does the work; what it leaves out is added here. It never says what a run has read;
it tells no version of a dataset, though every artifact has a digest; it lets the client try a backend that is
down again and again, so that a run would wait for it; and it hides what the event log below is able to do, so
that pools such as `gpu` would have no limit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.storage.event_log.base import EventLogStorage
from dagster_openlineage import (  # type: ignore[import-untyped]
    OpenLineageAdapter,
    OpenLineageEventLogStorage,
    to_utc_iso_8601,
)
from dagster_openlineage.emitter import (  # type: ignore[import-untyped]
    DEFAULT_TIMEOUT_SECONDS,
    OpenLineageEmitter,
)
from openlineage.client.event_v2 import InputDataset, OutputDataset, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    OutputDatasetFacet,
    RunFacet,
    dataset_version_dataset,
    output_statistics_output_dataset,
    tags_run,
)

from resources.lineage_names import INPUTS, PARENTS, parent_of

PRODUCER = "https://github.com/dagster-io/community-integrations/tree/main/libraries/dagster-openlineage"
_ROWS = ("dagster/partition_row_count", "dagster/row_count")

Metadata = Mapping[str, Any]


class ArtifactAdapter(OpenLineageAdapter):  # type: ignore[misc]
    """Tells of each materialisation what was read and written, by digest.

    Args:
        namespace: of the jobs and datasets; OPENLINEAGE_NAMESPACE by default.
        timeout: seconds that a backend may take for one event.
        further: what else the library's adapter takes.
    """

    def __init__(
        self, *, namespace: str | None = None, timeout: float = DEFAULT_TIMEOUT_SECONDS, **further: Any
    ) -> None:
        # An emitter that makes its own client tries a backend once.
        super().__init__(namespace=namespace, emitter=OpenLineageEmitter(timeout), **further)

    def asset_materialization(
        self,
        asset_key: dg.AssetKey,
        run_id: str,
        timestamp: float,
        *,
        metadata: Metadata | None = None,
        upstream_asset_keys: Sequence[dg.AssetKey] | None = None,
        partition_key: str | None = None,
        run_tags: Mapping[str, str] | None = None,
    ) -> None:
        """Emits that a run has written an asset, as the library calls it for each."""
        told = metadata or {}
        namespace = self._resolve_namespace(run_tags)
        facets = self._build_asset_output_facets(told, namespace) | _version(_plain(told, "digest"))
        rows = next((n for name in _ROWS if (n := _plain(told, name)) is not None), None)
        counted: dict[str, OutputDatasetFacet] = {}
        if rows is not None:
            counted["outputStatistics"] = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                rowCount=rows
            )
        run_facets = self._build_asset_run_facets(partition_key) | _tags(told, partition_key)
        name = asset_key.to_user_string()
        self._emit(
            RunEvent(
                eventType=RunState.COMPLETE,
                eventTime=to_utc_iso_8601(timestamp),
                run=self._build_run(namespace=namespace, run_id=run_id, run_facets=run_facets),
                job=self._build_job(namespace=namespace, job_name=name),
                producer=PRODUCER,
                inputs=[
                    InputDataset(namespace=namespace, name=read, facets=_version(version))
                    for read, version in _inputs(told)
                ],
                outputs=[OutputDataset(namespace=namespace, name=name, outputFacets=counted, facets=facets)],
            )
        )


class OpenLineageEventLog(OpenLineageEventLogStorage):  # type: ignore[misc]
    """An event log that tells an OpenLineage backend of what it stores; it works without one, too.

    Args:
        wrapped: where events are stored.
        namespace: as of `ArtifactAdapter`.
        timeout: as of `ArtifactAdapter`.
        inst_data: Dagster's own.
        further: what else the library's event log takes.
    """

    def __init__(
        self,
        wrapped: Any,
        *,
        namespace: str | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        inst_data: Any = None,
        **further: Any,
    ) -> None:
        adapter = ArtifactAdapter(namespace=namespace, timeout=timeout, **further)
        super().__init__(wrapped, adapter=adapter, inst_data=inst_data)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Tells the event log below, too, whose it is."""
        super().register_instance(instance)
        self._wrapped.register_instance(instance)


def _passed_on(name: str, of_base: Any) -> Any:
    """A method or property of every event log, answered by the one below."""
    if isinstance(of_base, property):
        return property(lambda self: getattr(self._wrapped, name))
    return lambda self, *args, **kwargs: getattr(self._wrapped, name)(*args, **kwargs)


# The library passes on what is abstract alone; what has a default would answer for the event log below.
for _name, _of_base in vars(EventLogStorage).items():
    if not _name.startswith("_") and _name not in vars(OpenLineageEventLogStorage):
        setattr(OpenLineageEventLog, _name, _passed_on(_name, _of_base))


def _plain(metadata: Metadata, name: str) -> Any:
    value = metadata.get(name)
    return None if value is None else value.value


def _inputs(metadata: Metadata) -> list[tuple[str, str | None]]:
    """Name and version of what was read: raw files by location, assets by key.

    An asset that was read in several partitions has no one version.
    """
    files = dict(_plain(metadata, INPUTS) or {})
    digests: dict[str, list[str]] = {}
    for parent in dict(_plain(metadata, PARENTS) or {}).values():
        kind, digest = parent_of(parent)
        digests.setdefault(kind, []).append(digest)
    return [*files.items(), *((kind, of[0] if len(of) == 1 else None) for kind, of in digests.items())]


def _version(digest: str | None) -> dict[str, DatasetFacet]:
    if digest is None:
        return {}
    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=digest)}


def _tags(metadata: Metadata, partition: str | None) -> dict[str, RunFacet]:
    named = {"partition": partition, "code_version": _plain(metadata, "code_version")}
    fields = [tags_run.TagsRunFacetFields(k, str(v), "DAGSTER") for k, v in named.items() if v is not None]
    return {"tags": tags_run.TagsRunFacet(tags=fields)} if fields else {}
