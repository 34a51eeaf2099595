"""One archive with all the evidence about a published set, and what checks it."""

from hier_dag.audit.bundle.write import write_bundle
from hier_dag.audit.evidence.declared import Declared, declared

__all__ = ["Declared", "declared", "write_bundle"]
