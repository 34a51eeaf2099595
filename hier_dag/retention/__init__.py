"""What stays in a store and for how long, what goes, and what was live when."""
