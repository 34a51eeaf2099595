"""Stages as requests for artifacts: what each needs, whether it is there already, how it is committed."""
