"""Conditional requests: `ETag`, `If-None-Match` and `If-Match`."""
