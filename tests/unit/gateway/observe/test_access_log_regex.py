"""The access log is parsed as AWS recommends, with a regular expression for each line.

Rewritten after "Query Application Load Balancer logs" of the Amazon Athena guide, whose table
has a regular expression with one group per field.
"""

import dataclasses
import re

import pytest

from gateway.gateway import Gateway, start_gateway
from gateway.observe.access_log import AccessLog, AlbFormat
from gateway.routing.conditions import PathPattern, globs
from gateway.routing.redirect import Redirect
from gateway.routing.regular_expressions import compile_pattern
from gateway.routing.rules import FixedResponse, Forward, Rule, Rules, WeightedGroup
from gateway.routing.settings import Routing
from gateway.routing.transforms import Rewrite, Transforms
from tests.unit.gateway.support import Bench, Lines, routing

WORD, QUOTED, NUMBER = r"([^ ]*)", r'"([^"]*)"', r"([-.0-9]*)"
FIELDS = {
    "type": WORD,
    "time": WORD,
    "elb": WORD,
    "client": r"([^ ]*):([0-9]*)",
    "target": r"([^ ]*)[:-]([0-9]*)",
    "request_processing_time": NUMBER,
    "target_processing_time": NUMBER,
    "response_processing_time": NUMBER,
    "elb_status_code": r"([0-9]{3})",
    "target_status_code": r"(-|[0-9]{3})",
    "received_bytes": r"([0-9]+)",
    "sent_bytes": r"([0-9]+)",
    "request": r'"([^ ]*) (.*) (- |[^ ]*)"',
    "user_agent": QUOTED,
    "ssl_cipher": r"([A-Z0-9-_]+)",
    "ssl_protocol": r"([A-Za-z0-9.-]*)",
    "target_group_arn": WORD,
    "trace_id": QUOTED,
    "domain_name": QUOTED,
    "chosen_cert_arn": QUOTED,
    "matched_rule_priority": r"(-|[0-9]+)",
    "request_creation_time": WORD,
    "actions_executed": QUOTED,
    "redirect_url": QUOTED,
    "error_reason": r'"([^ ]*)"',
    "target_port_list": r'"([^\s]+?)"',
    "target_status_code_list": r'"([^\s]+)"',
    "classification": r'"([^ ]*)"',
    "classification_reason": r'"([^ ]*)"',
    "conn_trace_id": WORD,
    "transformed_host": QUOTED,
    "transformed_uri": QUOTED,
    "request_transform_status": QUOTED,
}
LINE = re.compile(" ".join(FIELDS.values()))


def parsed(line: str) -> dict[str, str]:
    found = LINE.fullmatch(line)
    assert found, line
    names: list[str] = []
    for name, pattern in FIELDS.items():
        groups = re.compile(pattern).groups
        names += [name] if groups == 1 else [f"{name}_{n}" for n in range(groups)]
    return dict(zip(names, found.groups(), strict=True))


def with_rules() -> Routing:
    """Rules of every kind of action."""
    to_web = Forward((WeightedGroup("Web", 1),))
    rewrite = Rewrite("^/old", compile_pattern("^/old"), "/new")
    impossible = Rewrite("^/", compile_pattern("^/"), "")

    def rule(priority: int, path: str, action: Redirect | FixedResponse) -> Rule:
        return Rule(priority, (PathPattern(globs([path])),), action)

    rules = [
        rule(1, "/fixed", FixedResponse(404, "text/plain", b"no")),
        rule(2, "/moved", Redirect(301, protocol="HTTPS", port="443")),
        Rule(3, (PathPattern(globs(["/old*"])),), to_web, Transforms(url=rewrite)),
        Rule(4, (PathPattern(globs(["/broken"])),), to_web, Transforms(url=impossible)),
    ]
    plain = routing()
    listener = dataclasses.replace(plain.listeners[0], rules=Rules(rules, to_web))
    return dataclasses.replace(plain, listeners=(listener,))


class Logged:
    def __init__(self, gateway: Gateway, log: AccessLog, lines: Lines) -> None:
        self.gateway, self._log, self._lines = gateway, log, lines

    async def line(self, bench: Bench, request: bytes) -> dict[str, str]:
        """The logged fields of the request."""
        client = await bench.client(self.gateway)
        client.send(request)
        await client.answer()
        self._log.flush()
        return parsed(self._lines.lines[-1])


@pytest.fixture
async def logged(bench: Bench) -> Logged:
    target = await bench.target()
    lines = Lines()
    log = AccessLog(AlbFormat("Balancer"), lines)
    gateway = await start_gateway(with_rules(), {"Web": [target.url]}, port=0, access_log=log)
    bench.keep(gateway)
    await gateway.first_checks()
    return Logged(gateway, log, lines)


HEAD = b" HTTP/1.1\r\nHost: a.example\r\nUser-Agent: t\r\n"


async def test_a_forwarded_request_is_read_back(bench: Bench, logged: Logged) -> None:
    line = await logged.line(bench, b"GET /x?y=z" + HEAD + b"\r\n")
    assert line["type"] == "http"
    assert line["request_0"] == "GET"
    assert line["request_1"] == f"http://a.example:{logged.gateway.port}/x?y=z"
    assert line["request_2"] == "HTTP/1.1"
    assert line["actions_executed"] == "forward"
    assert line["target_port_list"] == f"{line['target_0']}:{line['target_1']}"
    assert line["target_status_code_list"] == line["target_status_code"] == "200"
    assert line["matched_rule_priority"] == "0"
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", line["trace_id"])
    assert re.fullmatch(r"TID_[0-9a-f]{32}", line["conn_trace_id"])


async def test_a_fixed_response_is_read_back(bench: Bench, logged: Logged) -> None:
    line = await logged.line(bench, b"GET /fixed" + HEAD + b"\r\n")
    assert line["actions_executed"] == "fixed-response"
    assert (line["elb_status_code"], line["target_status_code"]) == ("404", "-")
    assert line["request_processing_time"] == "-1"
    assert line["matched_rule_priority"] == "1"
    assert line["trace_id"].startswith("Root=")


async def test_redirect_is_read_back_with_its_location(bench: Bench, logged: Logged) -> None:
    line = await logged.line(bench, b"GET /moved?a=b" + HEAD + b"\r\n")
    assert line["actions_executed"] == "redirect"
    assert line["redirect_url"] == "https://a.example:443/moved?a=b"
    assert line["elb_status_code"] == "301"


async def test_a_transformed_request_is_read_back_with_both_targets(
    bench: Bench, logged: Logged
) -> None:
    line = await logged.line(bench, b"GET /old/1" + HEAD + b"\r\n")
    assert line["request_1"].endswith("/old/1")
    assert (line["transformed_host"], line["transformed_uri"]) == ("-", "/new/1")
    assert line["request_transform_status"] == "succeeded"
    failed = await logged.line(bench, b"GET /broken" + HEAD + b"\r\n")
    assert failed["elb_status_code"] == "500"
    assert failed["request_transform_status"] == "failed"


async def test_desync_classification_is_read_back(bench: Bench, logged: Logged) -> None:
    line = await logged.line(bench, b"GET /x" + HEAD + b"Content-Length: 0\r\n\r\n")
    assert line["classification"] == "Acceptable"
    assert line["classification_reason"] == "GetHeadZeroContentLength"


async def test_a_refused_request_is_read_back(bench: Bench, logged: Logged) -> None:
    line = await logged.line(bench, b'"nonsense"\r\n\r\n')
    assert line["elb_status_code"] == "400"
    assert line["actions_executed"] == "-"
    assert line["matched_rule_priority"] == "-"
