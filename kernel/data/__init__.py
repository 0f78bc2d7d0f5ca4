"""What every context needs to use PostgreSQL."""
