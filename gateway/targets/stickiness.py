"""Sticky sessions: the cookies that bring a client back to its target or target group.

Names, attributes and durations: "Sticky sessions for your Application Load Balancer" of the AWS
guide. A cookie's value is encrypted, as AWS's is, with a key that only this process has: one from
another process is as good as none.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable
from email.utils import formatdate
from typing import Final

from gateway.net.clock import Clock

_BROWSER_SECONDS: Final = 7 * 86400
"""What a browser is told, whatever the session's duration; that one is inside the value."""
_NONCE_SIZE: Final = 16
_MAC_SIZE: Final = 16
_MAX_VALUE: Final = 512
_APPLICATION_SHARDS: Final = 4

LOAD_BALANCER_COOKIES: Final = (b"AWSALBCORS", b"AWSALB")
"""The first one wins when both come."""
TARGET_GROUP_COOKIES: Final = (b"AWSALBTGCORS", b"AWSALBTG")
APPLICATION_COOKIE: Final = b"AWSALBAPP-0"


class InvalidCookieError(ValueError):
    """Not a value that this process sealed for this purpose."""


class Seal:
    """Makes and reads cookie values; ``secret`` is some 32 random bytes.

    The standard library has no cipher, so this is one of its parts: the content is combined with
    the output of SHAKE256 over a key and a nonce, which nobody without the key can tell from
    random bytes, and HMAC-SHA256 over the result shows that it is ours (encrypt, then MAC). What
    a value is for is under the MAC too, so that it is good for nothing else.
    """

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._cipher_key = hmac.digest(secret, b"cipher", hashlib.sha256)
        self._mac_key = hmac.digest(secret, b"mac", hashlib.sha256)
        self._clock = clock

    def seal(self, purpose: str, value: str, seconds: int) -> bytes:
        """``value``, good for so many seconds from now."""
        expires = int(self._clock.wall()) + seconds
        nonce = os.urandom(_NONCE_SIZE)
        sealed = nonce + self._combined(nonce, expires.to_bytes(8, "big") + value.encode())
        return base64.b64encode(sealed + self._mac(purpose, sealed))

    def open(self, purpose: str, cookie: bytes) -> str | None:
        """What was sealed; None when its time is over. Raises InvalidCookieError."""
        if len(cookie) > _MAX_VALUE:
            raise InvalidCookieError
        try:
            received = base64.b64decode(cookie, validate=True)
        except ValueError as error:
            raise InvalidCookieError from error
        sealed, mac = received[:-_MAC_SIZE], received[-_MAC_SIZE:]
        if not hmac.compare_digest(mac, self._mac(purpose, sealed)):
            raise InvalidCookieError
        content = self._combined(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:])
        if int.from_bytes(content[:8], "big") <= self._clock.wall():
            return None
        return content[8:].decode()

    def expires(self) -> bytes:
        """The attribute that every cookie has."""
        return formatdate(int(self._clock.wall()) + _BROWSER_SECONDS, usegmt=True).encode()

    def _combined(self, nonce: bytes, content: bytes) -> bytes:
        """Encrypts, and decrypts what was encrypted."""
        size = len(content)
        stream = hashlib.shake_256(self._cipher_key + nonce).digest(size)
        mixed = int.from_bytes(content, "big") ^ int.from_bytes(stream, "big")
        return mixed.to_bytes(size, "big")

    def _mac(self, purpose: str, sealed: bytes) -> bytes:
        message = purpose.encode() + b"\0" + sealed
        return hmac.digest(self._mac_key, message, hashlib.sha256)[:_MAC_SIZE]


def cookie_value(headers: Iterable[bytes], name: bytes) -> bytes | None:
    """The value of the first cookie of that name in these Cookie headers (RFC 6265, 4.2.1)."""
    for header in headers:
        for pair in header.split(b";"):
            key, equals, value = pair.strip().partition(b"=")
            if equals and key == name:
                return value
    return None


def sets_cookie(lines: Iterable[bytes], name: bytes) -> bool:
    """Whether one of a response's header lines sets the cookie."""
    for line in lines:
        key, _, value = line.partition(b":")
        if key.lower() == b"set-cookie" and value.strip().partition(b"=")[0].strip() == name:
            return True
    return False


def cookie_pair(names: tuple[bytes, bytes], value: bytes, expires: bytes) -> list[bytes]:
    """The header lines that set a cookie and its twin for requests from other sites."""
    cors, plain = names
    return [
        b"Set-Cookie: %b=%b; Expires=%b; Path=/\r\n" % (plain, value, expires),
        b"Set-Cookie: %b=%b; Expires=%b; Path=/; SameSite=None; Secure\r\n"
        % (cors, value, expires),
    ]


def application_cookies(value: bytes | None, expires: bytes) -> list[bytes]:
    """The header lines for AWSALBAPP, of which ours never fills more than the first."""
    values = [value or b"_remove_", *[b"_remove_"] * (_APPLICATION_SHARDS - 1)]
    return [
        b"Set-Cookie: AWSALBAPP-%d=%b; Expires=%b; Path=/\r\n" % (shard, content, expires)
        for shard, content in enumerate(values)
    ]
