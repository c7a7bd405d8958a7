"""Spaces, their change log, and how devices push, pull and listen."""
