"""What a new database is made of: its version, and the snapshot that it is restored from."""
