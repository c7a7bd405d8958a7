"""A good step and one that fails halfway."""
