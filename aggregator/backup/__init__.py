"""Backup and restore: rows, pictures and, under a passphrase, keys as one file that either store profile reads."""
