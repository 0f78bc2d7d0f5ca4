"""What a context stores of one person, for that person."""
