"""Whether what is published follows from conf/, code and results."""
