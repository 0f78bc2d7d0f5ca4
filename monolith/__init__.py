"""The board as one process."""
