"""Erasure of people: recognised by keyed hashes ever after, suppressed at once, learnt from no more."""
