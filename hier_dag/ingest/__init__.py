"""Raw logs in, canonical tables out: nothing lost, every refused row kept with its reason."""
