"""HIER's operators, one a file, and the registered formulations built from them."""
