"""Reads the users that requests come from, and sets the headers that identify them to targets.

Headers and key: "Authenticate users using an Application Load Balancer" of the AWS guide.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gateway.http1.request import Request
from gateway.routing.sign_in import SignIn

CHOICE: Final = b"x-local-identity"
"""The header in which a request names its user: a name in the file, or ``nobody``. It is not
forwarded."""
NOBODY: Final = "nobody"
_TOKEN_SECONDS: Final = 120
_OWN: Final = frozenset(
    {b"x-amzn-oidc-data", b"x-amzn-oidc-identity", b"x-amzn-oidc-accesstoken", CHOICE}
)
_SIGNER: Final = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app"
_COORDINATE_BYTES: Final = 32


class IdentityFileError(ValueError):
    """The file is not a valid list of users."""


class UnknownIdentityError(ValueError):
    """A request names a user who is not in the file."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in user. ``claims`` include ``sub``."""

    claims: Mapping[str, object]
    access_token: str


class Identities:
    """The users of a file, and a new signing key of the load balancer."""

    def __init__(self, known: Mapping[str, Identity], load_balancer: str) -> None:
        self._known = known
        self._default = next(iter(known))
        self._signer = f"{_SIGNER}/{load_balancer}/0"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.key_id = str(uuid.uuid4())

    def of(self, request: Request) -> Identity | None:
        """The user that the request names, or the first in the file; None for ``nobody``.

        Raises UnknownIdentityError.
        """
        [name, *_] = [*request.header_values(CHOICE), self._default.encode()]
        wanted = name.decode("latin-1")
        if wanted == NOBODY:
            return None
        if wanted not in self._known:
            raise UnknownIdentityError(wanted)
        return self._known[wanted]

    def apply(
        self, request: Request, sign_in: SignIn, identity: Identity | None, now: float
    ) -> None:
        """Replaces the request's headers about its user; ``now`` is the wall clock."""
        request.lines = [line for line in request.lines if _canonical(line) not in _OWN]
        if identity is None:
            return
        for name, value in (
            ("x-amzn-oidc-accesstoken", identity.access_token),
            ("x-amzn-oidc-identity", str(identity.claims["sub"])),
            ("x-amzn-oidc-data", self._token(sign_in, identity, int(now) + _TOKEN_SECONDS)),
        ):
            request.lines.append(f"{name}: {value}\r\n".encode())

    def public_key(self, key_id: str) -> str | None:
        """The public key with that id, in PEM, or None."""
        if key_id != self.key_id:
            return None
        return (
            self._key.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )

    def _token(self, sign_in: SignIn, identity: Identity, expires: int) -> str:
        header = {
            "typ": "JWT",
            "kid": self.key_id,
            "alg": "ES256",
            "iss": sign_in.issuer,
            "client": sign_in.client_id,
            "signer": self._signer,
            "exp": expires,
        }
        payload = {**identity.claims, "exp": expires, "iss": sign_in.issuer}
        signed = f"{_base64(_json(header))}.{_base64(_json(payload))}"
        signature = self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        numbers = decode_dss_signature(signature)
        raw = b"".join(number.to_bytes(_COORDINATE_BYTES, "big") for number in numbers)
        return f"{signed}.{_base64(raw)}"


def read_identities(path: Path, load_balancer: str) -> Identities:
    """Reads a file like ``{"ada": {"claims": {"sub": "1", "email": "a@b.example"}}}``: names, each
    with claims including ``sub``, and optionally an ``access_token``. Requests come from the first
    one by default.

    Raises IdentityFileError, and OSError.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise IdentityFileError(f"{path} is not JSON: {error}") from None
    if not isinstance(read, dict) or not read:
        raise IdentityFileError(f"{path} names nobody")
    known = {name: _identity(path, name, entry) for name, entry in read.items()}
    return Identities(known, load_balancer)


def _identity(path: Path, name: str, entry: object) -> Identity:
    claims = entry.get("claims") if isinstance(entry, dict) else None
    if name == NOBODY or not isinstance(entry, dict) or not isinstance(claims, dict):
        raise IdentityFileError(f"{path}: {name!r} needs claims, and is not {NOBODY!r}")
    token = entry.get("access_token", f"access-token-of-{name}")
    for text in (claims.get("sub"), token):
        if not isinstance(text, str) or not text.isascii() or not text.isprintable() or not text:
            raise IdentityFileError(
                f"{path}: {name!r} needs a sub, and an access_token if any, of printable ASCII"
            )
    return Identity(claims, token)


def _canonical(line: bytes) -> bytes:
    """A header's name in lower case with ``_`` for ``-``, as some targets read it."""
    return line.partition(b":")[0].strip().lower().replace(b"_", b"-")


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64(data: bytes) -> str:
    """Base64 with padding, as an ALB writes it."""
    return base64.urlsafe_b64encode(data).decode()
