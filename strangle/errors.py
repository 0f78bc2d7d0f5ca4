"""The error that is shown to the user without a stack trace."""


class CannotPlayError(Exception):
    """The play cannot go on; the message says why."""
