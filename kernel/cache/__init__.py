"""Responses in memory, their encodings, and the changes that invalidate them."""
