"""The open-loop load: when requests are due, what they are, and whether their effects are there."""
