"""The users context: accounts, sessions, roles and bans."""
