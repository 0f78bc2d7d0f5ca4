"""CloudFormation: stacks, their events, and the templates that they are made from."""
