"""What an operator does to the board: `python -m board bootstrap | migrate | demo`."""
