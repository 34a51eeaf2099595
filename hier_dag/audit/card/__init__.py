"""Model cards: what a published set is for, how good it is, and where it fails."""
