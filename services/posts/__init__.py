"""Posts: what people write in threads."""
