"""Searching posts: the newest that have the words, with snippets of their texts."""
