"""Decision paths that people can read: names, families of intents, pictures, and what carries a score."""
