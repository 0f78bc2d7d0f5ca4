"""Chooses a content coding that the client accepts (RFC 9110 section 12.5.3), and compresses."""

import gzip
from functools import lru_cache
from typing import Final, Literal

import brotli

Encoding = Literal["identity", "gzip", "br"]

SMALLEST: Final = 1000
"""Below this number of bytes, compressing saves no packet and costs both sides time."""

_PREFERRED: Final[tuple[Encoding, ...]] = ("br", "gzip")
_GZIP_LEVEL: Final = 6
_BROTLI_QUALITY: Final = 5


@lru_cache(1000)
def choose(accept_encoding: bytes) -> Encoding:
    """The coding for a client that sent this `Accept-Encoding` field. A client that refuses
    `identity` and every available coding gets `identity` nevertheless, as the RFC allows. A coding
    whose weight cannot be parsed counts as refused."""
    weights: dict[str, float] = {}
    for part in accept_encoding.decode("latin-1").lower().split(","):
        coding, *parameters = (piece.strip() for piece in part.split(";"))
        weights[coding] = _weight(parameters)
    others = weights.get("*", 0.0)
    best = max(_PREFERRED, key=lambda coding: weights.get(coding, others))
    weight = weights.get(best, others)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else "identity"


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0


def compress(body: bytes, encoding: Encoding) -> bytes:
    """The body in this coding; the same bytes in every process."""
    match encoding:
        case "gzip":
            return gzip.compress(body, _GZIP_LEVEL, mtime=0)
        case "br":
            compressed: bytes = brotli.compress(
                body, mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY
            )
            return compressed
        case "identity":
            return body
