"""Why the board cannot start in containers."""


class CannotStartError(Exception):
    """Something that the user can fix; the message says what and how."""
