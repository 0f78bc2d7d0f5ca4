"""The parts of a run. Each starts what it measures, and returns a `Section`."""
