"""Facts about one version of a live set, gathered from the registry and the store."""
