"""Cards and their pictures."""
