"""Finished answers in memory: how many, for how long, and in which encodings."""
