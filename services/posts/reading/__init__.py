"""How far each user has read each thread."""
