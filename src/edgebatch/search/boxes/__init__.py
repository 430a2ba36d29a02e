"""Branch and bound over boxes: a largest batch under any cost."""
