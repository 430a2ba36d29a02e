"""Techniques of compression, run on a real decoder, and what they measured."""
