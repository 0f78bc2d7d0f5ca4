"""ECS services and one-off tasks, and why their tasks failed."""
