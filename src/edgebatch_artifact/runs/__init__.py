"""From settings to results."""
