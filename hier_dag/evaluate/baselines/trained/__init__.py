"""Baselines trained with torch; importing `recipes` registers them."""
