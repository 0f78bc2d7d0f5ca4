"""What every context needs to speak HTTP."""
