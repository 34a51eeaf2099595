"""Shapes of a knowledge graph: run as columnar checks, and written as SHACL."""
