"""The steps that shaped the store, oldest first. A step that has been released is never edited."""
