"""Files and command lines: the instance format, and ``edgebatch``."""
