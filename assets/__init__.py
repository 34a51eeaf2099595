"""The DAG: one file a stage. A body calls the engine, audits, commits and reports."""
