"""A step that drops a column with what is in it."""
