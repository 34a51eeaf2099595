"""Lineage: from a published vector back to the raw rows behind it."""
