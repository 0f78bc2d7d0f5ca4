"""Makes markup from templates and texts."""
