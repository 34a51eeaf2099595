"""Above the DAG: what walks it from outside. Dagster is imported here and in hier_dag.definitions only."""
