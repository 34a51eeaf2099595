"""domains.yaml: the one declaration of a platform, typed and checked before anything is spent."""

from hier_dag.config.issues import Issue
from hier_dag.config.load import check_config, load_config
from hier_dag.config.models import Domain, PlatformConfig
from hier_dag.config.sources import Columns, EventSource, Links
from hier_dag.config.splits import Split

__all__ = [
    "Columns",
    "Domain",
    "EventSource",
    "Issue",
    "Links",
    "PlatformConfig",
    "Split",
    "check_config",
    "load_config",
]
