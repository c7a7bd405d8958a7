"""A step that removes rows which others point to."""
