"""What a table must look like: pandera contracts that run inside the engine, and what they say of columns."""
