"""The load of a play: who sends requests, and how they are recorded."""
