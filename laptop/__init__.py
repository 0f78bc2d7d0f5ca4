"""The board on one machine: PostgreSQL, the processes, the gateway, and one log."""
