"""Images: built, described, and pushed to a registry."""
