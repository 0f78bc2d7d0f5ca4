"""The error that is shown to the user without a stack trace."""


class CannotRollOutError(Exception):
    """The command cannot be carried out; the message says why, and nothing has changed."""
