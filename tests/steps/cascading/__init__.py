"""A step that rebuilds a table the wrong way round, so that what points to it is dropped or lost."""
