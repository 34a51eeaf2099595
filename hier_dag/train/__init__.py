"""Pre-training over all source domains, and the files it leaves behind."""
