"""``alb check``: refusals by cause, and the missing options."""

from pathlib import Path

import pytest

from gateway.admin.commands import run_command
from tests.unit.gateway.functions import FUNCTION
from tests.unit.gateway.support import TEMPLATE


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("t.yml")
    path.write_text(TEMPLATE)
    return path


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    code = run_command(["check", *arguments])
    return code, capsys.readouterr().out.splitlines()


def test_check_lists_the_missing_options_of_a_valid_template(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(capsys, "--template", str(template)) == (
        0,
        [
            "Balancer can be run",
            "  Front (HTTP 8080): 1 rule and the default rule",
            "it needs",
            "  --target Web=http://127.0.0.1:PORT",
        ],
    )


def test_check_separates_refusals_of_aws_from_limits_of_the_gateway(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template.write_text(
        "Parameters:\n  Path: {Type: String}\n"
        + TEMPLATE.replace("Port: 8080", "Port: x")
        .replace("Values: [/fixed]", "Values: ['{{resolve:ssm:/path}}']")
        .replace("HealthCheckPath: /health", "ProtocolVersion: GRPC")
    )
    assert checked(capsys, "--template", "t.yml") == (
        1,
        [
            "AWS refuses:",
            "  t.yml:18: Front: Port is a number from 1 to 65535, not 'x'",
            "AWS accepts, and the gateway cannot run:",
            "  t.yml:10: Web: ProtocolVersion 'GRPC' is not implemented",
            "has to be said on the command line:",
            "  t.yml:2: Path: has no default, so a value is needed: --parameter",
            "  t.yml:27: FixedRule: AWS looks up ssm:/path when it deploys: "
            "--resolve ssm:/path=VALUE",
        ],
    )


def test_warnings_and_certificates_are_in_the_summary(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secure = "Protocol: HTTPS\n      Certificates: [{CertificateArn: arn:a}]\n      Port: 80"
    template.write_text(
        TEMPLATE.replace("Protocol: HTTP\n      Port: 8080", f"{secure}\n      Port: 443")
    )
    code, lines = checked(capsys, "--template", "t.yml")
    assert code == 0
    assert lines[0] == "warning: t.yml:18: 'Port' is given twice: the last counts"
    assert "  --certificate arn:a=CERTIFICATE.pem,KEY.pem" in lines


def test_target_of_a_function_is_a_folder_or_an_emulator(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template.write_text(FUNCTION)
    code, lines = checked(capsys, "--template", "t.yml")
    assert code == 0
    assert lines[-1] == (
        "  --target Web=lambda+dir:FOLDER#MODULE.FUNCTION (or lambda+http://127.0.0.1:PORT)"
    )


def test_unreadable_template_is_reported_in_one_line(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["check", "--template", "nobody.yml"]) == 2
    assert "nobody.yml" in capsys.readouterr().err
    template.unlink()
    assert run_command(["check", "--template", "."]) == 2
    assert "has no CloudFormation templates in it" in capsys.readouterr().err
