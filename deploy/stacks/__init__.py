"""CloudFormation stacks, and the ECS services and tasks in them."""
