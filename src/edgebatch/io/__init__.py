"""Instance files, and the command line ``edgebatch``."""

from edgebatch.io.instance_format import parse_instance, read_instance

__all__ = ["parse_instance", "read_instance"]
