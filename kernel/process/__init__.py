"""What every process needs to start, log and stop."""
