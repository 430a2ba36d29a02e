"""From results to means, intervals and decided claims."""
