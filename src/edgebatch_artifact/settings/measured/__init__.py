"""What conf/ says of measurements."""
