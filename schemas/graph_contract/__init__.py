"""The contract of a knowledge graph: integrity of nodes and edges, structure, and drift of degrees."""
