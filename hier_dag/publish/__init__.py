"""Published sets: vectors by original id, the alias that says which set is live, and their reader."""
