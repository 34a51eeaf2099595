"""Names of the metadata that tells what a materialisation was made from, for who writes and who reads it."""

PARENTS = "parent_artifacts"
"""Role, kind, partition, digest and event of each parent, as JSON."""
INPUTS = "raw_inputs"
"""Location, SHA-256 and bytes of each raw file that was read, as JSON."""
