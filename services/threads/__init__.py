"""Threads: what is talked about, and how lively."""
