"""The one failure that this package tells a person about."""


class CannotRunError(Exception):
    """The board cannot run as asked; the message says why and what to do, without a stack trace."""
