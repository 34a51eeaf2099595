"""Places beside the files where a published set can be queried: Postgres with pgvector, and LanceDB."""
