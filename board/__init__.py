"""What an operator does to the board: `python -m board bootstrap | migrate | demo`, several in one
go, or `python -m board grant-admin NAME`."""
