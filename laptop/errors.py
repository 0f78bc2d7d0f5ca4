"""The error that is shown to the user without a stack trace."""


class CannotRunError(Exception):
    """The board cannot run with these settings; the message says why and what to do."""
