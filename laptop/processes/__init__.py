"""Child processes: started, logged, restarted, stopped; none is left behind."""
