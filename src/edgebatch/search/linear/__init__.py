"""Surrogate branch and bound where the costs of a batch are linear once its deadline is known."""
