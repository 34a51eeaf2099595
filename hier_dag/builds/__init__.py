"""What each stage writes and how it is checked before commit; shared by the DAG and `hier check --data`."""
