"""People, their passwords and their signed-in devices."""
