"""Code that every context needs."""
