"""Checks of the account, the choices and the board, before and after a command."""
