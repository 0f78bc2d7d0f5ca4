"""Resolves names of resources on the command line."""

from collections.abc import Iterable


class UnknownNameError(ValueError):
    """No resource has that name, or it is ambiguous."""


def full_name(name: str, known: Iterable[str], kind: str) -> str:
    """The qualified name for ``name``: itself, or the only one that ends with it.

    Raises UnknownNameError, which lists the existing resources of that ``kind``.
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
