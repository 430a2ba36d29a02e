"""The decoder: its shape and weights, its forward pass, text that it says, and how likely it finds a text."""
