"""Files that are whole or absent, and names made from content."""
