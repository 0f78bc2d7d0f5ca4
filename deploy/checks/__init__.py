"""Questions about the account, asked before and after a command."""
