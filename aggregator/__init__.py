"""Karman: one pocket for every loyalty card."""
