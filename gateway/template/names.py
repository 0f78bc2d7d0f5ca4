"""What resources are called on the command line."""

from collections.abc import Iterable


class UnknownNameError(ValueError):
    """No resource has that name, or several could be meant."""


def full_name(name: str, known: Iterable[str], kind: str) -> str:
    """The qualified name that is meant: ``name`` itself, or the only one that ends with it.

    Raises UnknownNameError, which says what ``kind`` of resource there is.
    """
    names = list(known)
    if name in names:
        return name
    meant = [full for full in names if full.endswith(f".{name}")]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UnknownNameError(f"{name!r} could be {' or '.join(meant)}: say which {kind}")
    raise UnknownNameError(f"there is no {kind} {name!r}, only {', '.join(names) or 'none'}")
