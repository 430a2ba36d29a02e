"""DFTSP's tree over chains of requests."""
