"""Hosts, as they are written in requests."""


def without_port(host: bytes) -> bytes:
    """``host`` without the colon and port at its end, if there are any. The port may be empty."""
    name, colon, port = host.rpartition(b":")
    return name if colon and (port.isdigit() or not port) else host
