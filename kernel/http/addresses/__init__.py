"""The addresses of clients, and the limit on their requests."""
