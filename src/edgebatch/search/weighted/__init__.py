"""Branch and bound over boxes: a batch of most weight under any cost."""
