"""``python -m gateway explain``."""

from pathlib import Path

import pytest

from gateway.admin.commands import run_command
from tests.unit.gateway.support import TEMPLATE

ROUTING = Path(__file__).parents[4] / "infra" / "routing.yml"


def place(template: Path, resource: str) -> str:
    """The place of a resource, as in an explanation."""
    lines = template.read_text().splitlines()
    return f"({template}:{lines.index(f'  {resource}:') + 1})"


PLACES = (
    "VpcId=vpc-0",
    "PublicSubnets=subnet-0,subnet-1",
    "PrivateSubnets=subnet-2,subnet-3",
    "AlbSecurityGroup=sg-0",
    "InternalAlbSecurityGroup=sg-1",
)


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    given = [part for place in PLACES for part in ("--parameter", place)]
    assert run_command(["explain", "--template", str(ROUTING), *given, *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_each_earlier_rule_says_why_it_does_not_apply(capsys: pytest.CaptureFixture[str]) -> None:
    lines = explained(capsys, "GET", "/api/posts/7?a=b", "-H", "Host: x")
    assert lines[0] == "GET /api/posts/7?a=b at Listener (HTTP 80)"
    assert lines[1] == (
        f"   10 UsersRule {place(ROUTING, 'UsersRule')}: no, path-pattern /api/users, "
        "/api/users/* does not match path '/api/posts/7'"
    )
    assert lines[4] == (
        f"   40 PostsRule {place(ROUTING, 'PostsRule')}: applies "
        "(path-pattern /api/posts, /api/posts/*)"
    )
    assert lines[5].split() == [
        "forward",
        "to",
        "PostsTargets",
        "(100%),",
        "MonolithTargets",
        "(0%)",
    ]
    assert len(lines) == 6


def test_the_default_rule_is_explained_too(capsys: pytest.CaptureFixture[str]) -> None:
    default = f"default rule {place(ROUTING, 'Listener')}: applies"
    assert any(line.startswith(default) for line in explained(capsys, "GET", "/x"))


def test_the_load_balancer_between_services_is_explained_when_it_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    balancer = ("--load-balancer", "InternalLoadBalancer")
    lines = explained(capsys, *balancer, "GET", "/internal/threads/1")
    assert lines[0] == "GET /internal/threads/1 at InternalListener (HTTP 80)"
    assert lines[2].split(":")[0].split()[:2] == ["20", "InternalThreadsRule"]
    assert "ThreadsInternalTargets" in lines[3]


CONDITIONS = """\
        - {Field: host-header, HostHeaderConfig: {Values: ['*.example.com']}}
        - {Field: http-header, HttpHeaderConfig: {HttpHeaderName: X-Beta, Values: ['1']}}
        - {Field: source-ip, SourceIpConfig: {Values: [10.0.0.0/8]}}
"""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "no, host-header *.example.com does not match host ''"),
        (("-H", "host: A.example.com:80"), "no, http-header X-Beta: 1 does not match no X-Beta"),
        (
            ("-H", "Host: a.example.com", "-H", "x-beta: 2", "-H", "X-Beta: 1"),
            "no, source-ip 10.0.0.0/8 does not match source 127.0.0.1",
        ),
        (
            ("-H", "Host: a.example.com", "-H", "x-beta: 1", "--source", "10.1.2.3"),
            "applies (host-header *.example.com and http-header X-Beta: 1 and "
            "source-ip 10.0.0.0/8)",
        ),
    ],
)
def test_the_first_condition_that_fails_is_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], line: str
) -> None:
    template = tmp_path / "t.yml"
    template.write_text(
        TEMPLATE.replace("        - {Field: path-pattern, Values: [/fixed]}\n", CONDITIONS)
    )
    assert run_command(["explain", "--template", str(template), "GET", "/", *arguments]) == 0
    explanation = capsys.readouterr().out.splitlines()[1]
    assert explanation == f"    7 FixedRule {place(template, 'FixedRule')}: {line}"


def test_explain_rejects_invalid_arguments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = tmp_path / "t.yml"
    template.write_text(TEMPLATE)
    arguments = ["explain", "--template", str(template), "GET", "/"]
    assert run_command([*arguments, "--listener", "Wub"]) == 2
    assert "there is no listener 'Wub'" in capsys.readouterr().err
    template.write_text(TEMPLATE.replace("path-pattern", "grpc-method"))
    assert run_command(arguments) == 2
    assert "condition field 'grpc-method' is not implemented" in capsys.readouterr().err
