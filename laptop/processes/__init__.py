"""Child processes: starts, logs, restarts and stops them, and leaves none behind."""
