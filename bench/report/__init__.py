"""What a run shows: a page with pictures, and tables."""
