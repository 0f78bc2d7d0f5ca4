"""The error that is shown to the user without a stack trace."""


class CannotStartError(Exception):
    """The board cannot start for a reason that the user can fix; the message says how."""
