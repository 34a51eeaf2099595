"""hier_dag: multi-source behaviour logs in, published user and item embeddings out."""

__version__ = "0.1.0"
