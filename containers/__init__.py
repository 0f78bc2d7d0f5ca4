"""Runs the board in containers: health checks, secrets in files, and `make up`."""
