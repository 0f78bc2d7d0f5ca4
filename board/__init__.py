"""The operator's commands, from `bootstrap` and `migrate` to `backup` and `restore`:
`python -m board --help`."""
