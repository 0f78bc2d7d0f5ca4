"""Access to PostgreSQL, which every context needs."""
