"""The threads context: titles, marks, and the activity of each thread."""
