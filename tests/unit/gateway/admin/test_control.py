"""Operations on a running gateway, none of which fails a request."""

import asyncio
import json
import os
import stat
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from gateway.admin.control import Control, RefusedCommandError
from gateway.admin.rules_file import write_rules
from gateway.admin.server import AdminServer, AdminSocketError
from gateway.gateway import Gateway, start_gateway
from gateway.targets.target import Address
from gateway.template.reader import load_routing
from tests.unit.gateway.support import OK, TEMPLATE, Bench, Client, FakeTarget, Visit, says, until
from tests.unit.gateway.two_groups import TWO_GROUPS, states


class Operated:
    """A gateway with its template and its control."""

    def __init__(self, gateway: Gateway, template: Path) -> None:
        self.gateway = gateway
        self.template = template
        self.control = Control(gateway, lambda: load_routing(template, {}))


async def operated(bench: Bench, folder: Path, web: FakeTarget, api: FakeTarget) -> Operated:
    template = folder / "t.yml"
    template.write_text(TWO_GROUPS)
    gateway = await start_gateway(
        load_routing(template, {}), {"Web": [web.url], "Api": [api.url]}, port=0
    )
    bench.keep(gateway)
    await gateway.first_checks()
    return Operated(gateway, template)


@asynccontextmanager
async def load(bench: Bench, gateway: Gateway) -> AsyncIterator[Counter[bytes]]:
    """Sends requests without pause on four connections, and yields how many answers had which body.

    Failures are counted as ``failed``.
    """
    answers: Counter[bytes] = Counter()
    stop = asyncio.Event()

    async def ask(client: Client) -> None:
        while not stop.is_set():
            answer = await client.get()
            good = answer.status == 200 and answer.complete
            answers[answer.body if good else b"failed"] += 1

    clients = [await bench.client(gateway) for _ in range(4)]
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(ask(client))
        try:
            yield answers
        finally:
            stop.set()


async def some_more(answers: Counter[bytes], count: int = 50) -> None:
    until_total = answers.total() + count
    await until(lambda: answers.total() >= until_total)


API = says(OK.replace(b"ok", b"v2"))


async def test_weights_change_under_load_without_a_failed_request(
    bench: Bench, tmp_path: Path
) -> None:
    running = await operated(bench, tmp_path, await bench.target(), await bench.target(API))
    async with load(bench, running.gateway) as answers:
        await some_more(answers)
        assert set(answers) == {b"ok"}
        running.control.weights("Front", {"Web": 1, "Api": 1})
        await some_more(answers, 200)
        assert answers[b"v2"] > 30
        running.control.weights("Front", {"Web": 0})
        await some_more(answers)
        before = answers[b"ok"]
        await some_more(answers)
        assert answers[b"ok"] == before
    assert answers[b"failed"] == 0


async def test_a_reload_under_load_fails_no_request(bench: Bench, tmp_path: Path) -> None:
    running = await operated(bench, tmp_path, await bench.target(), await bench.target(API))
    async with load(bench, running.gateway) as answers:
        for weight in (100, 0, 100, 0, 500):
            running.template.write_text(TWO_GROUPS.replace("Weight: 0", f"Weight: {weight}"))
            await running.control.reload()
            await some_more(answers)
        assert answers[b"v2"] > 0
    assert answers[b"failed"] == 0


async def visited_again(target: FakeTarget) -> None:
    before = len(target.visits)
    await until(lambda: len(target.visits) > before)


async def test_draining_a_target_under_load_fails_no_request(bench: Bench, tmp_path: Path) -> None:
    async def slowly(visit: Visit) -> None:
        await asyncio.sleep(0.005)
        visit.send(OK.replace(b"ok", b"v2"))

    web, second = await bench.target(), await bench.target(slowly)
    running = await operated(bench, tmp_path, web, await bench.target(API))
    control, group = running.control, running.gateway.groups["Web"]
    await control.register("Web", second.url)
    await until(lambda: states(group) == ["healthy", "healthy"])
    async with load(bench, running.gateway) as answers:
        for _ in range(3):
            await some_more(answers)
            assert await control.drain("Web", second.url, 5) == {"Drained": second.url[7:]}
            visits = len(second.visits)
            await some_more(answers)
            assert len(second.visits) == visits
            await control.register("Web", second.url)
            await visited_again(second)
    assert answers[b"failed"] == 0
    assert answers[b"v2"] > 0


async def test_a_broken_template_keeps_the_old_routing_and_says_why(
    bench: Bench, tmp_path: Path
) -> None:
    running = await operated(bench, tmp_path, await bench.target(), await bench.target(API))
    control, before = running.control, running.control.rules()
    for text, line in (
        (TWO_GROUPS.replace("path-pattern", "grpc-method"), "'grpc-method' is not implemented"),
        (TWO_GROUPS.replace("8080", "8081"), "listener Front: port cannot change"),
        (TWO_GROUPS.replace("Front", "Back"), "listener Back is new: restart the gateway"),
        (TEMPLATE, "target group Api is gone, but there is a --target for it"),
        ("- x", "a template is a mapping"),
    ):
        running.template.write_text(text)
        with pytest.raises(RefusedCommandError, match=line):
            await control.reload()
        assert control.rules() == before
    running.template.unlink()
    with pytest.raises(RefusedCommandError, match="No such file"):
        await control.reload()
    assert (await (await bench.client(running.gateway)).get()).body == b"ok"


async def test_a_reload_takes_over_rules_groups_and_attributes(
    bench: Bench, tmp_path: Path
) -> None:
    web, new = await bench.target(), await bench.target(API)
    running = await operated(bench, tmp_path, web, await bench.target())
    group = "  New:\n    Type: AWS::ElasticLoadBalancingV2::TargetGroup\n    Properties: {}\n"
    more = TWO_GROUPS.replace("  Api:\n", f"{group}  Api:\n")
    more = more.replace("!Ref Web, Weight: 1", "!Ref New, Weight: 1")
    more = more.replace("MessageBody: fixed", "MessageBody: changed")
    more = more.replace("/health\n", "/health\n      HealthCheckIntervalSeconds: 7\n")
    running.template.write_text(more)
    await running.control.reload()
    client = await bench.client(running.gateway)
    assert (await client.get("/fixed")).body == b"changed"
    assert (await client.get("/")).status == 503
    await running.control.register("New", new.url)
    await until(lambda: states(running.gateway.groups["New"]) == ["healthy"])
    assert (await client.get("/")).body == b"v2"
    assert running.gateway.groups["Web"].settings.health_check.interval == 7


async def test_host_name_registers_all_its_addresses(bench: Bench, tmp_path: Path) -> None:
    running = await operated(bench, tmp_path, await bench.target(), await bench.target())
    names = {
        "two": {Address("127.0.0.1", 1), Address("127.0.0.2", 1)},
        "one": {Address("127.0.0.2", 1)},
        "other": {Address("127.0.0.9", 1)},
    }

    async def look_up(name: str, _port: int, _ipv6: bool) -> set[Address]:
        if name == "down":
            raise OSError("no name server")
        return names.get(name, set())

    control = Control(running.gateway, lambda: load_routing(running.template, {}), look_up)
    group = running.gateway.groups["Api"]
    await control.register("Api", "http://two:1")
    assert {str(target.address) for target in group.registered} > {"127.0.0.1:1", "127.0.0.2:1"}
    assert await control.drain("Api", "http://one:1", 1) == {"Drained": "127.0.0.2:1"}
    await control.deregister("Api", "http://two:1")
    assert len(group.registered) == 1
    for url, problem in (
        ("http://other:1", r"127\.0\.0\.9:1 is not registered in Api, only 127\.0\.0\.1:"),
        ("http://unknown:1", "http://unknown:1 has no IPv4 address"),
        ("http://down:1", "cannot look up http://down:1: no name server"),
    ):
        with pytest.raises(RefusedCommandError, match=problem):
            await control.deregister("Api", url)


async def test_health_has_the_shape_of_describe_target_health(bench: Bench, tmp_path: Path) -> None:
    web, sick, api_target = [await bench.target() for _ in range(3)]
    sick.health = 503
    running = await operated(bench, tmp_path, web, api_target)
    await running.control.register("Web", sick.url)
    await running.control.deregister("Api", api_target.url)
    group = running.gateway.groups["Web"]
    await until(lambda: group.registered[1].description)

    def described(port: int, **health: str) -> dict[str, object]:
        return {
            "Target": {"Id": "127.0.0.1", "Port": port},
            "HealthCheckPort": str(port),
            "TargetHealth": health,
        }

    assert running.control.health("Web") == {
        "TargetHealthDescriptions": [
            described(web.port, State="healthy"),
            described(
                sick.port,
                State="initial",
                Reason="Elb.InitialHealthChecking",
                Description="Health checks failed with these codes: [503]",
            ),
        ]
    }
    every = running.control.health()
    assert isinstance(every, dict)
    [api] = every["Api"]["TargetHealthDescriptions"]
    assert api["TargetHealth"] == {
        "State": "draining",
        "Reason": "Target.DeregistrationInProgress",
    }


async def test_drain_that_takes_too_long_is_reported(bench: Bench, tmp_path: Path) -> None:
    async def never(visit: Visit) -> None:
        await visit.reader.read()

    web = await bench.target(never)
    running = await operated(bench, tmp_path, web, await bench.target())
    client = await bench.client(running.gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: web.visits)
    with pytest.raises(RefusedCommandError, match=r"still has 1 requests after 0\.05 s"):
        await running.control.drain("Web", web.url, 0.05)


async def test_invalid_arguments_or_choices_are_refused(bench: Bench, tmp_path: Path) -> None:
    running = await operated(bench, tmp_path, await bench.target(), await bench.target())
    control = running.control
    with pytest.raises(RefusedCommandError, match="no target group 'Wub', only Web, Api"):
        control.health("Wub")
    with pytest.raises(RefusedCommandError, match="there is no rule Wub"):
        control.weights("Wub", {"Web": 1})
    with pytest.raises(RefusedCommandError, match="FixedRule does not forward"):
        control.weights("FixedRule", {"Web": 1})
    with pytest.raises(RefusedCommandError, match="not forward to Wub, only to Api, Web"):
        control.weights("Front", {"Wub": 1})
    with pytest.raises(RefusedCommandError, match="0 to 999, not 1000"):
        control.weights("Front", {"Web": 1000})
    with pytest.raises(RefusedCommandError, match="is not http://HOST:PORT"):
        await control.register("Web", "nonsense")
    with pytest.raises(
        RefusedCommandError, match=r"127\.0\.0\.1:1 is not registered in Web, only 127"
    ):
        await control.deregister("Web", "http://127.0.0.1:1")


async def send_line(path: Path, line: bytes) -> dict[str, object]:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line + b"\n")
    answer = await reader.read()
    writer.close()
    return json.loads(answer) if answer else {}


@pytest.fixture
async def socket_path(bench: Bench, tmp_path: Path) -> AsyncIterator[Path]:
    running = await operated(bench, tmp_path, await bench.target(), await bench.target())
    path = tmp_path / "admin.sock"
    server = AdminServer(running.control, path)
    await server.start()
    yield path
    await server.close()
    assert not path.exists()


async def test_only_its_owner_can_open_the_admin_socket(socket_path: Path) -> None:
    status = os.lstat(socket_path)
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_uid == os.getuid()


async def test_admin_socket_answers_each_line_with_one_line(socket_path: Path) -> None:
    answer = await send_line(socket_path, b'{"command": "rules"}')
    assert isinstance(answer["result"], list)
    weights = {"command": "weights", "rule": "Front", "weights": {"Api": 5}}
    answer = await send_line(socket_path, json.dumps(weights).encode())
    assert "forward to Web (16.67%), Api (83.33%)" in json.dumps(answer)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"GET / HTTP/1.1", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "there is no command None"),
        (b'{"command": "health", "group": 3}', "group is text"),
        (b'{"command": "weights", "rule": "Front", "weights": {"Web": true}}', "whole numbers"),
        (b'{"command": "weights", "rule": "Front", "weights": {}}', "whole numbers"),
        (b'{"command": "drain", "group": "Web", "target": "x", "seconds": "1"}', "a number from"),
    ],
)
async def test_admin_socket_rejects_invalid_requests(
    socket_path: Path, line: bytes, problem: str
) -> None:
    answer = await send_line(socket_path, line)
    assert problem in str(answer["problems"])


async def test_admin_socket_limits_the_size_of_a_request(socket_path: Path) -> None:
    assert await send_line(socket_path, b"x" * 100_000) == {}
    assert "result" in await send_line(socket_path, b'{"command": "health"}')


async def test_stale_admin_socket_is_replaced_but_a_live_one_is_not(
    bench: Bench, tmp_path: Path
) -> None:
    running = await operated(bench, tmp_path, await bench.target(), await bench.target())
    path = tmp_path / "admin.sock"
    first = AdminServer(running.control, path)
    await first.start()
    with pytest.raises(AdminSocketError, match="belongs to another running gateway"):
        await AdminServer(running.control, path).start()
    left_behind = path.with_name("left.sock")
    path.rename(left_behind)
    await first.close()
    second = AdminServer(running.control, left_behind)
    await second.start()
    assert "result" in await send_line(left_behind, b'{"command": "rules"}')
    await second.close()
    path.write_text("precious")
    with pytest.raises(AdminSocketError, match="is not a socket"):
        await AdminServer(running.control, path).start()
    assert path.read_text() == "precious"


async def test_file_of_rules_follows_every_change(bench: Bench, tmp_path: Path) -> None:
    web, api = await bench.target(says(b"web")), await bench.target(says(b"api"))
    made = await operated(bench, tmp_path, web, api)
    file = tmp_path / "rules.json"
    control = Control(
        made.gateway,
        lambda: load_routing(made.template, {}),
        publish=partial(write_rules, file),
    )
    first = json.loads(file.read_text("utf-8"))
    assert first == control.rules()

    control.weights("Front", {"Web": 25, "Api": 75})
    changed = json.loads(file.read_text("utf-8"))
    assert changed == control.rules() != first

    await control.reload()
    assert json.loads(file.read_text("utf-8")) == first
    assert not file.with_name("rules.json.new").exists()


async def test_file_of_rules_that_cannot_be_written_is_logged_and_stops_nothing(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    web, api = await bench.target(says(b"web")), await bench.target(says(b"api"))
    made = await operated(bench, tmp_path, web, api)
    control = Control(
        made.gateway,
        lambda: load_routing(made.template, {}),
        publish=partial(write_rules, tmp_path / "missing" / "rules.json"),
    )
    control.weights("Front", {"Web": 25, "Api": 75})
    assert "cannot write the rules" in caplog.text
