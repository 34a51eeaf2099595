"""Proofs about artifacts that are there, made again from what they and their parents hold."""
