"""The knowledge graph: types, arrays and message-passing back ends."""
