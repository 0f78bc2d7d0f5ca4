"""What the board needs to run in containers: health checks, secrets in files, and `make up`."""
