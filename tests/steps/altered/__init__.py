"""A step that loses the constraints of a table on SQLite, since Tortoise rebuilds it from the model alone."""
