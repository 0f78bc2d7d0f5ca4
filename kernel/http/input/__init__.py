"""What is read of a request, and how much of it."""
