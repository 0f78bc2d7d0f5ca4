"""Markdown to HTML that is safe to show: the rules, their bounds, and the processes that do it."""
