"""The measured engine: stored measurements, the model fitted to them, and how its predictions fared."""
