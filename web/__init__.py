"""The board in a browser: static files, and the few lines that serve them."""
