"""Batches of several nodes at once: the relaxation, its prices, and schedules and bounds from them."""
