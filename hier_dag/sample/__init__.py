"""The sample platform: a generated super-app with planted intents, exemplars and faults."""

from hier_dag.sample.generate import generate
from hier_dag.sample.params import SampleParams
from hier_dag.sample.summary import SampleSummary

__all__ = ["SampleParams", "SampleSummary", "generate"]
