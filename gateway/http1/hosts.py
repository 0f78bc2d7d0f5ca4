"""Hosts, as they are written in requests."""


def without_port(host: bytes) -> bytes:
    """The host in ``host``, which may end in a colon and a port, be that empty."""
    name, colon, port = host.rpartition(b":")
    return name if colon and (port.isdigit() or not port) else host
