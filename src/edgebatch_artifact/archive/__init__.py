"""One zip of everything, described for machines."""
