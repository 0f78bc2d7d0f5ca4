"""Measurements of the board and the gateway: `make bench`."""
