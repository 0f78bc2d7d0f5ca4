"""Sticky sessions: clients return to their target by cookies."""

import base64
import dataclasses
import re
from collections.abc import Iterable
from random import Random

import pytest

from gateway.routing.rules import Forward, WeightedGroup
from gateway.routing.settings import Stickiness
from gateway.targets.selection import Selection, Selector
from gateway.targets.stickiness import InvalidCookieError, Seal, cookie_value, sets_cookie
from gateway.targets.target_group import TargetGroup
from tests.unit.gateway.groups import PASSED, fail, group_of
from tests.unit.gateway.read_templates import refused
from tests.unit.gateway.support import TEMPLATE, Bench, Visit, routing

DAY = 86400
SECRET = bytes(range(32))


class Calendar:
    """A clock that a test sets; it begins on Tuesday, 20 February 2024, 11:21:53 GMT."""

    def __init__(self) -> None:
        self.time = 1708428113.0

    def wall(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class Cookies:
    """A browser's cookies."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def header_values(self, name: bytes) -> list[bytes]:
        if name != b"cookie" or not self.values:
            return []
        return ["; ".join(f"{k}={v}" for k, v in self.values.items()).encode()]

    def take(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            found = re.match(rb"Set-Cookie: ([^=]+)=([^;]*)", line)
            assert found, line
            self.values[found[1].decode()] = found[2].decode()


class Balancer:
    """A selector over groups of healthy targets, and its clock."""

    def __init__(self, **groups: TargetGroup) -> None:
        self.clock = Calendar()
        for name, group in groups.items():
            group.name = name
        self.groups = groups
        self.selector = Selector(groups, Seal(SECRET, self.clock), Random(5))

    def ask(self, action: Forward, browser: Cookies, answer: Iterable[bytes] = ()) -> Selection:
        selection = self.selector.select(action, browser)
        if selection.sticky is not None:
            browser.take(selection.sticky.set_cookie_lines(answer))
        return selection


TO_WEB = Forward((WeightedGroup("Web", 1),))


def test_a_client_with_the_cookie_stays_with_its_target() -> None:
    balancer = Balancer(Web=group_of(3, stickiness=Stickiness(DAY)))
    browser = Cookies()
    first = balancer.ask(TO_WEB, browser).target
    assert [balancer.ask(TO_WEB, browser).target for _ in range(6)] == [first] * 6
    assert len({balancer.ask(TO_WEB, Cookies()).target for _ in range(6)}) == 3


def test_sticky_cookies_match_those_of_an_alb_and_are_on_every_response() -> None:
    balancer = Balancer(Web=group_of(1, stickiness=Stickiness(60)))
    for browser in (Cookies(), Cookies(AWSALB="nonsense")):
        sticky = balancer.selector.select(TO_WEB, browser).sticky
        assert sticky is not None
        plain, cors = sticky.set_cookie_lines([])
        value = rb"[A-Za-z0-9+/=]+"
        expires = b"Expires=Tue, 27 Feb 2024 11:21:53 GMT"
        assert re.fullmatch(rb"Set-Cookie: AWSALB=%b; %b; Path=/\r\n" % (value, expires), plain)
        assert cors == plain.replace(b"AWSALB", b"AWSALBCORS").replace(
            b"Path=/\r\n", b"Path=/; SameSite=None; Secure\r\n"
        )


def test_awsalbcors_has_priority_over_awsalb() -> None:
    balancer = Balancer(Web=group_of(2, stickiness=Stickiness(DAY)))
    one, two = Cookies(), Cookies()
    first, second = balancer.ask(TO_WEB, one).target, balancer.ask(TO_WEB, two).target
    assert first is not second
    mixed = Cookies(AWSALB=one.values["AWSALB"], AWSALBCORS=two.values["AWSALBCORS"])
    assert balancer.ask(TO_WEB, mixed).target is second


def test_session_ends_after_its_duration_even_if_the_cookie_remains() -> None:
    balancer = Balancer(Web=group_of(2, stickiness=Stickiness(60)))
    browser = Cookies()
    first = balancer.ask(TO_WEB, browser)
    kept = Cookies(**browser.values)
    balancer.clock.time += 59
    assert balancer.ask(TO_WEB, Cookies(**kept.values)).target is first.target
    balancer.clock.time += 1
    late = balancer.ask(TO_WEB, kept)
    assert late.sticky is not None
    assert not late.sticky.returned


def test_session_moves_when_its_target_fails_and_does_not_return() -> None:
    group = group_of(2, stickiness=Stickiness(DAY))
    balancer = Balancer(Web=group)
    browser = Cookies()
    first = balancer.ask(TO_WEB, browser).target
    assert first is not None
    fail(group, first)
    second = balancer.ask(TO_WEB, browser).target
    assert second is not first
    for _ in range(2):
        group.record(first, PASSED)
    assert [balancer.ask(TO_WEB, browser).target for _ in range(4)] == [second] * 4


def test_a_session_leaves_a_draining_target() -> None:
    group = group_of(2, stickiness=Stickiness(DAY))
    balancer = Balancer(Web=group)
    browser = Cookies()
    first = balancer.ask(TO_WEB, browser).target
    assert first is not None
    group.deregister(first.address)
    assert balancer.ask(TO_WEB, browser).target is not first


@pytest.mark.parametrize("value", ["", "x", "AAAA", "%41", "A" * 600, "=" * 40])
def test_invalid_sticky_cookie_is_ignored(value: str) -> None:
    balancer = Balancer(Web=group_of(2, stickiness=Stickiness(DAY)))
    selection = balancer.ask(TO_WEB, Cookies(AWSALB=value))
    assert selection.target is not None
    assert selection.sticky is not None
    assert not selection.sticky.returned


def test_sealed_value_is_valid_for_one_purpose_and_process() -> None:
    clock = Calendar()
    seal = Seal(SECRET, clock)
    value = seal.seal("Web", "192.0.2.1:80", 60)
    assert seal.open("Web", value) == "192.0.2.1:80"
    for other, purpose in ((seal, "Api"), (Seal(bytes(32), clock), "Web")):
        with pytest.raises(InvalidCookieError):
            other.open(purpose, value)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 12, 27, 28])
def test_rejects_truncated_value(size: int) -> None:
    seal = Seal(SECRET, Calendar())
    value = base64.b64decode(seal.seal("Web", "192.0.2.1:80", 60))
    with pytest.raises(InvalidCookieError):
        seal.open("Web", base64.b64encode(value[:size]))


def test_sealed_value_reveals_nothing_of_its_content() -> None:
    seal = Seal(SECRET, Calendar())
    one, two = (base64.b64decode(seal.seal("Web", "192.0.2.1:80", 60)) for _ in range(2))
    for value in (one, two):
        assert b"192.0.2.1" not in value
    # It does not even reveal that two clients have the same target and expiry.
    pieces = [{value[i : i + 4] for i in range(len(value) - 3)} for value in (one, two)]
    assert pieces[0].isdisjoint(pieces[1])


def test_changed_sealed_value_is_rejected() -> None:
    seal = Seal(SECRET, Calendar())
    value = base64.b64decode(seal.seal("Web", "192.0.2.1:80", 60))
    for position in range(len(value)):
        changed = bytearray(value)
        changed[position] ^= 1
        with pytest.raises(InvalidCookieError):
            seal.open("Web", base64.b64encode(changed))


TO_BOTH = Forward((WeightedGroup("Blue", 1), WeightedGroup("Green", 1)), stickiness=3600)


def test_a_client_stays_with_its_target_group() -> None:
    balancer = Balancer(Blue=group_of(2), Green=group_of(2))
    first: set[str] = set()
    browser = Cookies()
    for _ in range(20):
        browser = Cookies()
        name = balancer.ask(TO_BOTH, browser).target_group
        first.add(name)
        assert browser.values.keys() == {"AWSALBTG", "AWSALBTGCORS"}
        assert {balancer.ask(TO_BOTH, browser).target_group for _ in range(5)} == {name}
    assert first == {"Blue", "Green"}
    balancer.clock.time += 3600
    assert {balancer.ask(TO_BOTH, Cookies(**browser.values)).target_group for _ in range(20)} == {
        "Blue",
        "Green",
    }


def test_a_target_group_whose_weight_is_zero_loses_its_sessions() -> None:
    balancer = Balancer(Blue=group_of(1), Green=group_of(1))
    browser = Cookies()
    balancer.ask(Forward((WeightedGroup("Blue", 1),), stickiness=60), browser)
    to_green = Forward((WeightedGroup("Blue", 0), WeightedGroup("Green", 1)), stickiness=60)
    assert balancer.ask(to_green, browser).target_group == "Green"


def test_a_target_group_cookie_that_cannot_be_read_has_a_reason_in_the_log() -> None:
    balancer = Balancer(Blue=group_of(1), Green=group_of(1))
    assert balancer.ask(TO_BOTH, Cookies(AWSALBTG="%41")).error_reason == "AWSALBTGCookieInvalid"
    assert balancer.ask(TO_BOTH, Cookies()).error_reason == ""


SETS = [b"Content-Type: text/plain\r\n", b"set-cookie: session=s1; Path=/\r\n"]


def test_application_session_begins_when_the_application_sets_its_cookie() -> None:
    balancer = Balancer(Web=group_of(3, stickiness=Stickiness(DAY, "session")))
    browser = Cookies()
    balancer.ask(TO_WEB, browser)
    assert browser.values == {f"AWSALBAPP-{shard}": "_remove_" for shard in range(4)}
    first = balancer.ask(TO_WEB, browser, SETS).target
    assert browser.values["AWSALBAPP-0"] != "_remove_"
    browser.values["session"] = "s1"
    assert [balancer.ask(TO_WEB, browser).target for _ in range(6)] == [first] * 6


def test_application_session_moves_when_its_target_fails_and_does_not_return() -> None:
    group = group_of(3, stickiness=Stickiness(DAY, "session"))
    balancer = Balancer(Web=group)
    browser = Cookies()
    first = balancer.ask(TO_WEB, browser, SETS).target
    assert first is not None
    browser.values["session"] = "s1"
    fail(group, first)
    second = balancer.ask(TO_WEB, browser).target
    assert second is not first
    assert browser.values["AWSALBAPP-0"] != "_remove_"
    for _ in range(2):
        group.record(first, PASSED)
    assert [balancer.ask(TO_WEB, browser).target for _ in range(6)] == [second] * 6


def test_expired_application_session_begins_again_with_the_applications_cookie() -> None:
    balancer = Balancer(Web=group_of(3, stickiness=Stickiness(60, "session")))
    browser = Cookies(session="s1")
    balancer.ask(TO_WEB, browser, SETS)
    balancer.clock.time += 60
    balancer.ask(TO_WEB, browser)
    assert browser.values["AWSALBAPP-0"] == "_remove_"


@pytest.mark.parametrize("lost", ["session", "AWSALBAPP-0"])
def test_an_application_session_needs_both_cookies(lost: str) -> None:
    balancer = Balancer(Web=group_of(3, stickiness=Stickiness(DAY, "session")))
    browser = Cookies(session="s1")
    balancer.ask(TO_WEB, browser, SETS)
    del browser.values[lost]
    chosen = (balancer.ask(TO_WEB, Cookies(**browser.values)).target for _ in range(6))
    assert len(set(chosen)) == 3


def test_cookies_are_parsed_as_in_rfc_6265() -> None:
    headers = [b"a=1; b=x=y", b'c="3"; a=9']
    assert [cookie_value(headers, name) for name in (b"a", b"b", b"c", b"d")] == [
        b"1",
        b"x=y",
        b'"3"',
        None,
    ]
    assert sets_cookie(SETS, b"session")
    assert not sets_cookie(SETS, b"sess")


def forward_to(*groups: str, more: str = "") -> str:
    listed = ", ".join(f"{{TargetGroupArn: !Ref {group}}}" for group in groups)
    action = f"ForwardConfig: {{TargetGroups: [{listed}]{more}}}"
    web = TEMPLATE[TEMPLATE.index("  Web:") : TEMPLATE.index("  Front:")]
    kind = "{Key: stickiness.type, Value: KIND}"
    sticky = (
        "      TargetGroupAttributes: [{Key: stickiness.enabled, Value: 'true'}, "
        f"{kind}, {{Key: stickiness.app_cookie.cookie_name, Value: session}}]\n"
    )
    lb = web.replace("Web:", "Lb:") + sticky.replace("KIND", "lb_cookie")
    app = web.replace("Web:", "App:") + sticky.replace("KIND", "app_cookie")
    text = TEMPLATE.replace("TargetGroupArn: !Ref Web", action)
    return text.replace("  Front:\n", f"{lb}{app}  Front:\n")


ENABLED = ", TargetGroupStickinessConfig: {Enabled: true, DurationSeconds: 60}"


def test_invalid_combinations_of_sticky_groups_are_refused() -> None:
    [line] = refused(forward_to("Web", "Lb"))
    assert "Lb is sticky, so TargetGroupStickinessConfig has to be enabled" in line
    [line] = refused(forward_to("Web", "App", more=ENABLED))
    assert "App is sticky by app_cookie, which does not work with several target groups" in line
    [line] = refused(forward_to("Web", more=ENABLED.replace(", DurationSeconds: 60", "")))
    assert "DurationSeconds is needed: 1 to 604800" in line


async def test_sticky_cookies_are_set_only_on_responses_of_targets(bench: Bench) -> None:
    async def names_itself(visit: Visit) -> None:
        await visit.body()
        port = visit.writer.get_extra_info("sockname")[1]
        body = str(port).encode()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    one, two = await bench.target(names_itself), await bench.target(names_itself)
    plain = routing()
    web = dataclasses.replace(plain.target_groups["Web"], stickiness=Stickiness(60))
    sticky = dataclasses.replace(plain, target_groups={"Web": web})
    gateway = await bench.gateway(one, two, with_routing=sticky)
    client = await bench.client(gateway)
    answer = await client.get()
    cookies = [value for name, value in answer.headers if name == b"Set-Cookie"]
    assert [cookie.partition(b"=")[0] for cookie in cookies] == [b"AWSALB", b"AWSALBCORS"]
    cookie = cookies[0].partition(b";")[0].decode()
    for _ in range(4):
        client.send(f"GET / HTTP/1.1\r\nHost: a\r\nCookie: x=1; {cookie}\r\n\r\n".encode())
        assert (await client.answer()).body == answer.body
    assert not [name for name, _ in (await client.get("/fixed")).headers if name == b"Set-Cookie"]
