"""What every context needs, and nothing else."""
