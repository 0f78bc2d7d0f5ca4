"""Secrets that stand for somebody: of sessions, and of links for a new password."""

import hashlib
import secrets

_BYTES = 32


def new() -> str:
    """A token of 256 random bits, in URL-safe characters."""
    return secrets.token_urlsafe(_BYTES)


def hashed(token: str) -> bytes:
    """What is kept of a token."""
    # With 256 random bits, one round of a fast hash cannot be searched backwards.
    return hashlib.sha256(token.encode(errors="replace")).digest()
