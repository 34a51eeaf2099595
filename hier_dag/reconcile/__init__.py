"""What the store, the registry and the version records at all places say of each other."""
