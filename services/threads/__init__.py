"""The threads context: titles, locks and pins, and the activity of each thread."""
