"""Exact searches: compiled kernels, and what feeds them."""
