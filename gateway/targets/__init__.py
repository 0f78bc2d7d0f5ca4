"""Target groups, their health and their connections."""
