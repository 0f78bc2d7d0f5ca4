"""Sticky sessions: the cookies with which a client returns to its target or target group.

Names, attributes and durations: "Sticky sessions for your Application Load Balancer" of the AWS
guide. A cookie's value is encrypted, as on AWS, with a key that only this process has; a cookie
from another process is ignored."""

import base64
import os
from collections.abc import Iterable
from email.utils import formatdate
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.net.clock import Clock

_BROWSER_SECONDS: Final = 7 * 86400
"""The lifetime of the cookie. The duration of the session is inside the encrypted value."""
_NONCE_SIZE: Final = 12
_EXPIRY_SIZE: Final = 8
_MAX_VALUE: Final = 512
_APPLICATION_SHARDS: Final = 4

LOAD_BALANCER_COOKIES: Final = (b"AWSALBCORS", b"AWSALB")
"""The first one has priority if both are sent."""
TARGET_GROUP_COOKIES: Final = (b"AWSALBTGCORS", b"AWSALBTG")
APPLICATION_COOKIE: Final = b"AWSALBAPP-0"


class InvalidCookieError(ValueError):
    """The value was not sealed by this process for this purpose."""


class Seal:
    """Seals and opens cookie values; ``secret`` is 32 random bytes.

    A value is encrypted with AES-256-GCM: a random nonce, then the encrypted time of expiry and
    content, then the tag. The purpose of the value is the associated data, so a value is not valid
    for another purpose. Random nonces are safe for 2^32 values of one key (NIST SP 800-38D, section
    8.3), and a key is used by one process only.
    """

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._cipher = AESGCM(secret)
        self._clock = clock

    def seal(self, purpose: str, value: str, seconds: int) -> bytes:
        """Encrypts ``value``, which is valid for that many seconds."""
        expires = int(self._clock.wall()) + seconds
        nonce = os.urandom(_NONCE_SIZE)
        content = expires.to_bytes(_EXPIRY_SIZE, "big") + value.encode()
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, content, purpose.encode()))

    def open(self, purpose: str, cookie: bytes) -> str | None:
        """Decrypts a value; None if it has expired. Raises InvalidCookieError."""
        if len(cookie) > _MAX_VALUE:
            raise InvalidCookieError
        try:
            received = base64.b64decode(cookie, validate=True)
            nonce, sealed = received[:_NONCE_SIZE], received[_NONCE_SIZE:]
            content = self._cipher.decrypt(nonce, sealed, purpose.encode())
        except (ValueError, InvalidTag) as error:
            # A truncated nonce raises ValueError.
            raise InvalidCookieError from error
        if int.from_bytes(content[:_EXPIRY_SIZE], "big") <= self._clock.wall():
            return None
        return content[_EXPIRY_SIZE:].decode()

    def expires(self) -> bytes:
        """The ``Expires`` attribute of every cookie."""
        return formatdate(int(self._clock.wall()) + _BROWSER_SECONDS, usegmt=True).encode()


def cookie_value(headers: Iterable[bytes], name: bytes) -> bytes | None:
    """The value of the first cookie with that name in these Cookie headers (RFC 6265, 4.2.1)."""
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
    """The header lines that set a cookie and its copy for cross-site requests."""
    cors, plain = names
    return [
        b"Set-Cookie: %b=%b; Expires=%b; Path=/\r\n" % (plain, value, expires),
        b"Set-Cookie: %b=%b; Expires=%b; Path=/; SameSite=None; Secure\r\n"
        % (cors, value, expires),
    ]


def application_cookies(value: bytes | None, expires: bytes) -> list[bytes]:
    """The header lines for AWSALBAPP-0 to -3; only the first ever has a value here."""
    values = [value or b"_remove_", *[b"_remove_"] * (_APPLICATION_SHARDS - 1)]
    return [
        b"Set-Cookie: AWSALBAPP-%d=%b; Expires=%b; Path=/\r\n" % (shard, content, expires)
        for shard, content in enumerate(values)
    ]
