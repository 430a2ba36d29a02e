"""From conf/ to settings."""
