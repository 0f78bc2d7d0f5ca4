"""The board on AWS: what `make push-ecr`, `deploy-ecs`, `status-ecs`, `logs-ecs`, `pause-ecs`,
`resume-ecs`, `shift` and `destroy-ecs` do. `python -m deploy --help` lists the commands."""
