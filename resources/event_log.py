"""The event log of a deployment: OpenLineage is told of it where the environment names a lineage server.

An instance's dagster.yaml has no conditions, so that the choice is made here, in each process that opens the
instance. Without a server, what is opened is the event log below itself, and nothing of OpenLineage is
imported.
"""

import importlib.util
import os
from collections.abc import Mapping
from typing import Any

import dagster as dg
import yaml
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from hier_dag.errors import ConfigError

NAMES = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG")
"""Variables of the environment that name a lineage server, as OpenLineage's client reads them."""


class EventLog(EventLogStorage, ConfigurableClass):
    """Stands in an instance's dagster.yaml for the event log below, which is opened in its place."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Module, class and config of the event log below, as `wrapped`; namespace of jobs and datasets."""
        return {
            "wrapped": {
                "module": dg.Field(str),
                "class": dg.Field(str),
                "config": dg.Field(dict, is_required=False, default_value={}),
            },
            "namespace": dg.Field(str, is_required=False),
        }

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> EventLogStorage:
        """The event log below; wrapped where a lineage server is named.

        Args:
            inst_data: Dagster's own.
            config_value: as `config_type` says.

        Raises:
            ConfigError: a lineage server is named, and what tells it is not installed.
        """
        named = [name for name in NAMES if os.environ.get(name)]
        if not named:
            below = config_value["wrapped"]
            data = ConfigurableClassData(below["module"], below["class"], yaml.safe_dump(below["config"]))
            return data.rehydrate(as_type=EventLogStorage)  # type: ignore[type-abstract]
        if importlib.util.find_spec("dagster_openlineage") is None:
            raise ConfigError(
                f"{named[0]} names a lineage server, but no module 'dagster_openlineage' is there.",
                fix=f"pip install -e '.[openlineage]', or unset {named[0]}",
            )
        from resources.openlineage import OpenLineageEventLog

        log: EventLogStorage = OpenLineageEventLog.from_config_value(inst_data, config_value)
        return log
