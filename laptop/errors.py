"""The errors that are shown to the user without a stack trace."""


class CannotRunError(Exception):
    """The board cannot run with these settings; the message says why and what to do."""


class RefusedOperationError(Exception):
    """A running board does not do this; the message says why. Nothing has changed, unless the
    message says what has."""
