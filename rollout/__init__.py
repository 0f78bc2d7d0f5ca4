"""Starts and stops parts of a running board and moves traffic between them, wherever it runs."""
