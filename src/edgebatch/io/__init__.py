"""Files of instances and networks, and the command line ``edgebatch``."""

from edgebatch.io.instance_format import parse_instance, read_instance
from edgebatch.io.network_format import read_network

__all__ = ["parse_instance", "read_instance", "read_network"]
