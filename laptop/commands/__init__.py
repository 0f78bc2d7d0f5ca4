"""Commands for the board on this machine, which `make` runs."""
