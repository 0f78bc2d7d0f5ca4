"""What clients of plain HTTP need not read."""

import ssl


def no_certificates() -> ssl.SSLContext:
    """The argument `verify` of an httpx client that only uses plain HTTP. Without it, each client
    reads the certificates of this machine, which takes 20 ms."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
