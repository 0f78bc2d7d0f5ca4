"""Tokens of sessions, and of links for setting a new password."""

import hashlib
import secrets

_BYTES = 32


def new() -> str:
    """A token of 256 random bits, in URL-safe characters."""
    return secrets.token_urlsafe(_BYTES)


def hashed(token: str) -> bytes:
    """The hash of a token, which is stored instead of it."""
    # A token has 256 random bits, so one round of a fast hash is enough against guessing.
    return hashlib.sha256(token.encode(errors="replace")).digest()
