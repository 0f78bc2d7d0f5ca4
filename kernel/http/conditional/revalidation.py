"""Conditional GET: strong entity tags, and their comparison."""

import hashlib
import re

_ENCODED = re.compile(r'-(?:gzip|br)"$')


def entity_tag(body: bytes) -> str:
    """The strong entity tag (RFC 9110 section 8.8.3) of a representation. It depends only
    on the bytes, so every process in either deployment computes the same one."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def matches(if_none_match: str, tag: str) -> bool:
    """Whether an `If-None-Match` field names the tag, compared weakly (RFC 9110 section 13.1.2)."""
    candidates = [candidate.strip() for candidate in if_none_match.split(",")]
    return candidates == ["*"] or tag in (part.removeprefix("W/") for part in candidates)


def encoded_tag(tag: str, encoding: str) -> str:
    """The tag of the same representation in a content coding, which has different bytes."""
    return f'{tag[:-1]}-{encoding}"'


def without_encoding(tag: str) -> str:
    """The tag of the representation without a content coding."""
    return _ENCODED.sub('"', tag)
