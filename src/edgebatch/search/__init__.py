"""Exact searches: compiled kernels, and the data structures that they work on."""
