"""Compressed matrices, and files of them: packed, or coded without loss."""
