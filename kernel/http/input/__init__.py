"""Reads and validates request bodies, within limits."""
