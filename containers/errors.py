"""Why the board cannot start in containers."""


class CannotStartError(Exception):
    """Something that a person can mend; its text says what, and how."""
