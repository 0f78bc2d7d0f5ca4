"""The rules, as pure values and functions."""
