"""Authenticate actions, with a file of users."""

import asyncio
import base64
import json
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gateway.gateway import Gateway, start_gateway
from gateway.net.timeouts import Timeouts
from gateway.observe.access_log import AccessLog, AlbFormat
from gateway.observe.key_server import key_server
from gateway.proxy.identities import Identities, IdentityFileError, read_identities
from gateway.template.inputs import Choices, Source
from gateway.template.reader import RefusedTemplateError, load
from tests.unit.gateway.certificates import NAME, SelfSigned
from tests.unit.gateway.https import ARN, SECURE
from tests.unit.gateway.support import Bench, Lines, Response, read_answer

FORWARD = """      DefaultActions:
        - {Type: forward, TargetGroupArn: !Ref Web}"""
OIDC = """      DefaultActions:
        - {Type: forward, Order: 2, TargetGroupArn: !Ref Web}
        - Type: authenticate-oidc
          Order: 1
          AuthenticateOidcConfig:
            Issuer: https://login.example
            AuthorizationEndpoint: https://login.example/authorize
            TokenEndpoint: https://login.example/token
            UserInfoEndpoint: https://login.example/me
            ClientId: shop
            ClientSecret: secret
            Scope: openid email
            SessionTimeout: 3600
            AuthenticationRequestExtraParams: {prompt: login}
            OnUnauthenticatedRequest: FORM"""
COGNITO = """      DefaultActions:
        - Type: authenticate-cognito
          Order: 1
          AuthenticateCognitoConfig:
            UserPoolArn: arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_abc
            UserPoolClientId: shop
            UserPoolDomain: people
        - {Type: forward, Order: 2, TargetGroupArn: !Ref Web}"""
PEOPLE = {
    "ada": {"claims": {"sub": "u-1", "email": "ada@example.com", "groups": ["a", "b"]}},
    "bob": {"claims": {"sub": "u-2"}, "access_token": "opaque"},
}


def template(actions: str, form: str = "authenticate") -> str:
    at = SECURE.rindex(FORWARD)
    return SECURE[:at] + actions.replace("FORM", form) + SECURE[at + len(FORWARD) :]


def identities(folder: Path, people: object = PEOPLE) -> Identities:
    path = folder / "people.json"
    path.write_text(json.dumps(people))
    return read_identities(path, "Balancer")


class Door:
    """A gateway whose HTTPS listener has an authenticate action."""

    def __init__(self, bench: Bench, certificate: SelfSigned, folder: Path) -> None:
        self.bench = bench
        self.certificate = certificate
        self.identities = identities(folder)
        self.lines = Lines()
        self.log = AccessLog(AlbFormat("Balancer"), self.lines)

    async def start(self, text: str) -> Gateway:
        target = await self.bench.target()
        source = Source("t", Path("t.yml"), text)
        gateway = await start_gateway(
            load([source], Choices(identities=True)).routing,
            {"Web": [target.url]},
            port=0,
            certificates={ARN: self.certificate.files},
            timeouts=Timeouts(tick=0.02),
            access_log=self.log,
            identities=self.identities,
        )
        self.bench.keep(gateway)
        await gateway.first_checks()
        return gateway

    async def ask(self, gateway: Gateway, *headers: bytes) -> Response:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            gateway.ports["Secure"],
            ssl=self.certificate.client(most=ssl.TLSVersion.TLSv1_3),
            server_hostname=NAME,
        )
        lines = b"".join(header + b"\r\n" for header in headers)
        writer.write(b"GET / HTTP/1.1\r\nHost: shop.example\r\n" + lines + b"\r\n")
        try:
            return await read_answer(reader)
        finally:
            writer.transport.abort()


@pytest.fixture
def door(bench: Bench, certificate: SelfSigned, tmp_path: Path) -> Door:
    return Door(bench, certificate, tmp_path)


def read_token(token: bytes, door: Door) -> tuple[dict[str, object], dict[str, object]]:
    """Header and payload of a token, whose signature is verified."""
    parts = token.split(b".")
    assert all(len(part) % 4 == 0 for part in parts)
    header, payload, signature = (base64.urlsafe_b64decode(part) for part in parts)
    key_id = json.loads(header)["kid"]
    pem = door.identities.public_key(key_id)
    assert pem is not None
    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    numbers = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    signed = b".".join(parts[:2])
    key.verify(encode_dss_signature(*numbers), signed, ec.ECDSA(hashes.SHA256()))
    return json.loads(header), json.loads(payload)


@pytest.mark.parametrize(
    ("actions", "issuer"),
    [
        (OIDC, "https://login.example"),
        (COGNITO, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"),
    ],
)
async def test_target_gets_the_headers_of_the_signed_in_user(
    door: Door, actions: str, issuer: str
) -> None:
    gateway = await door.start(template(actions))
    assert (await door.ask(gateway)).status == 200
    visit = door.bench.targets[0].visits[0]
    assert visit.header(b"x-amzn-oidc-identity") == b"u-1"
    assert visit.header(b"x-amzn-oidc-accesstoken") == b"access-token-of-ada"
    token = visit.header(b"x-amzn-oidc-data")
    assert token is not None
    header, payload = read_token(token, door)
    assert (header["alg"], header["client"], header["iss"]) == ("ES256", "shop", issuer)
    assert str(header["signer"]).startswith("arn:aws:elasticloadbalancing:")
    assert payload["email"] == "ada@example.com"
    assert payload["groups"] == ["a", "b"]
    assert payload["exp"] == header["exp"]
    door.log.flush()
    assert '"authenticate,forward"' in door.lines.lines[0]


async def test_request_may_select_its_user(door: Door) -> None:
    gateway = await door.start(template(OIDC))
    assert (await door.ask(gateway, b"X-Local-Identity: bob")).status == 200
    visit = door.bench.targets[0].visits[0]
    assert visit.header(b"x-amzn-oidc-identity") == b"u-2"
    assert visit.header(b"x-amzn-oidc-accesstoken") == b"opaque"
    assert visit.header(b"x-local-identity") is None
    assert (await door.ask(gateway, b"X-Local-Identity: eve")).status == 400


@pytest.mark.parametrize("who", [b"ada", b"nobody"])
async def test_identity_headers_of_a_client_are_removed(door: Door, who: bytes) -> None:
    gateway = await door.start(template(OIDC, "allow"))
    forged = [
        b"X-Amzn-Oidc-Identity: root",
        b"x-amzn-oidc-data: root",
        b"X_Amzn_Oidc_Data: root",
        b"x-amzn-oidc-accesstoken : root",
        b"x-amzn-oidc-accesstoken: a\r\n root",
    ]
    assert (await door.ask(gateway, b"X-Local-Identity: " + who, *forged)).status == 200
    assert b"root" not in door.bench.targets[0].visits[0].head


@pytest.mark.parametrize(("form", "status"), [("deny", 401), ("allow", 200), ("authenticate", 302)])
async def test_unauthenticated_request_is_denied_allowed_or_redirected(
    door: Door, form: str, status: int
) -> None:
    gateway = await door.start(template(OIDC, form))
    answer = await door.ask(gateway, b"X-Local-Identity: nobody")
    assert answer.status == status
    visits = door.bench.targets[0].visits
    assert len(visits) == (form == "allow")
    for visit in visits:
        assert visit.header(b"x-amzn-oidc-identity") is None
    if form == "authenticate":
        location = answer.header(b"Location") or b""
        assert location.startswith(b"https://login.example/authorize?client_id=shop&")
        assert b"redirect_uri=https%3A%2F%2Fshop.example%2Foauth2%2Fidpresponse" in location
        assert b"response_type=code&scope=openid+email&state=" in location
        assert location.endswith(b"&prompt=login")
    door.log.flush()
    executed = "authenticate,forward" if form == "allow" else "authenticate"
    assert f'"{executed}"' in door.lines.lines[0]


async def test_a_cognito_domain_is_a_prefix_or_a_name(door: Door) -> None:
    for domain, where in (
        ("people", b"https://people.auth.eu-west-1.amazoncognito.com/oauth2/authorize?"),
        ("id.shop.example", b"https://id.shop.example/oauth2/authorize?"),
    ):
        text = template(COGNITO).replace("UserPoolDomain: people", f"UserPoolDomain: {domain}")
        gateway = await door.start(text)
        answer = await door.ask(gateway, b"X-Local-Identity: nobody")
        assert (answer.header(b"Location") or b"").startswith(where)


async def test_public_key_is_served_only_under_its_id(tmp_path: Path) -> None:
    known = identities(tmp_path)
    server = key_server(known)
    await server.start("127.0.0.1", 0)
    try:
        answers = []
        for path in (known.key_id, "another"):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(f"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            answers.append(await reader.read())
            writer.close()
    finally:
        await server.close()
    assert answers[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert answers[0].endswith((known.public_key(known.key_id) or "").encode())
    assert answers[1].startswith(b"HTTP/1.1 404 Not Found\r\n")


def test_key_with_an_unknown_id_is_not_found(tmp_path: Path) -> None:
    known = identities(tmp_path)
    assert known.public_key(known.key_id)
    for wrong in ("", "x", known.key_id + "0", f"{known.key_id}/"):
        assert known.public_key(wrong) is None


@pytest.mark.parametrize(
    "people",
    [
        {},
        [],
        {"ada": {}},
        {"ada": {"claims": {}}},
        {"ada": {"claims": {"sub": 1}}},
        {"ada": {"claims": {"sub": "a\r\nX-Admin: 1"}}},
        {"ada": {"claims": {"sub": "1"}, "access_token": "a\nb"}},
        {"ada": {"claims": {"sub": "1"}, "access_token": ["a"]}},
        {"nobody": {"claims": {"sub": "1"}}},
    ],
)
def test_invalid_file_of_users_is_refused(tmp_path: Path, people: object) -> None:
    with pytest.raises(IdentityFileError):
        identities(tmp_path, people)


def test_file_of_users_that_is_not_json_is_refused(tmp_path: Path) -> None:
    for content in ("ada:", "[" * 100_000):
        (tmp_path / "people.json").write_text(content)
        with pytest.raises(IdentityFileError):
            read_identities(tmp_path / "people.json", "Balancer")


@pytest.mark.parametrize(
    ("text", "with_identities", "line"),
    [
        (template(OIDC), False, "'authenticate-oidc' is not implemented without --identity"),
        (template(COGNITO), False, "'authenticate-cognito' is not implemented without --identity"),
        (template(OIDC).replace("Order: 1", "Order: 3"), True, "before the other one"),
        (template(OIDC + "\n" + OIDC.partition("\n")[2]), True, "exactly one action"),
        (template(OIDC, "perhaps"), True, "OnUnauthenticatedRequest 'perhaps'"),
        (template(OIDC).replace("Scope:", "Scoop:"), True, "property Scoop is not implemented"),
    ],
)
def test_invalid_authenticate_action_is_refused(
    text: str, with_identities: bool, line: str
) -> None:
    with pytest.raises(RefusedTemplateError) as caught:
        load([Source("t", Path("t.yml"), text)], Choices(identities=with_identities))
    assert any(line in found for found in caught.value.lines), caught.value.lines


def test_http_listener_cannot_have_an_authenticate_action() -> None:
    text = template(OIDC).replace(
        "Protocol: HTTPS\n      Port: 443", "Protocol: HTTP\n      Port: 81"
    )
    with pytest.raises(RefusedTemplateError) as caught:
        load([Source("t", Path("t.yml"), text)], Choices(identities=True))
    expected = "an HTTP listener has no authenticate-oidc action"
    assert any(expected in found for found in caught.value.lines), caught.value.lines
