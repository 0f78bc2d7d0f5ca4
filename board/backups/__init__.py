"""Backups: one file with the databases of all contexts."""
