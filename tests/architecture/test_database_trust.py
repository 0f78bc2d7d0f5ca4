"""containers/rds-ca.pem: the certificates with which a task verifies that a database is
Amazon's."""

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from tests.cloudformation import ROOT, Deployment, template
from topology.contexts import CONTEXT_NAMES
from topology.deployments import MONOLITH, OPERATOR

BUNDLE = ROOT / "containers" / "rds-ca.pem"


def _certificates() -> list[Mapping[str, object]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(BUNDLE)
    return [*context.get_ca_certs()]


def _name(certificate: Mapping[str, object], whose: str) -> str:
    parts = certificate[whose]
    assert isinstance(parts, tuple)
    return str({key: value for [(key, value)] in parts}["commonName"])


def test_the_bundle_has_one_root_for_each_region_and_no_other_certificate() -> None:
    names = [_name(certificate, "subject") for certificate in _certificates()]
    regions = [
        found[1]
        for name in names
        if (found := re.fullmatch(r"Amazon RDS ([a-z]+-[a-z]+-\d) Root CA RSA2048 G1", name))
    ]
    assert len(regions) == len(names) == len(set(regions)) == BUNDLE.read_text().count("BEGIN")
    assert {"us-east-1", "us-west-2", "eu-central-1", "eu-west-1", "ap-southeast-2"} <= set(regions)


def test_every_root_is_self_signed_and_valid_for_years() -> None:
    for certificate in _certificates():
        assert _name(certificate, "subject") == _name(certificate, "issuer")
        until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
        assert until.year >= 2061


@pytest.mark.parametrize("kind", ["aurora", "instance"])
def test_database_uses_the_authority_in_the_bundle(kind: str) -> None:
    [instance] = Deployment(DatabaseKind=kind).of_kind("RDS::DBInstance")
    assert instance["CACertificateIdentifier"] == "rds-ca-rsa2048-g1"


def test_every_image_with_a_database_has_the_bundle_at_the_urls_path() -> None:
    tls = template("data")["Outputs"]["DatabaseTls"]["Value"]
    assert tls == f"sslmode=verify-full&sslrootcert=/board/{BUNDLE.relative_to(ROOT)}"
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    having = {
        stage.split()[2] for stage in stages if "COPY containers/rds-ca.pem containers/\n" in stage
    }
    assert having == {*CONTEXT_NAMES, MONOLITH, OPERATOR}
    assert "WORKDIR /board\n" in stages[1]
