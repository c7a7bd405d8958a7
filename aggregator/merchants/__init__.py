"""The directory of shops and the matching of names to it."""
