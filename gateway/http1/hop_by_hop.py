"""Headers that apply to one connection only, and are never forwarded."""

from typing import Final

CONNECTION_HEADERS: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
"""HTTP/2 has none of them (RFC 9113, section 8.2.2)."""

HOP_BY_HOP: Final = CONNECTION_HEADERS | {b"te", b"trailer"}
"""RFC 9110, section 7.6.1; names in lower case."""
