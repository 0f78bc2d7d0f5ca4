"""When traffic may move, and when a server may stop, for any set of contexts."""

import pytest

from topology.changes import why_not_shift, why_not_stop, with_called
from topology.contexts import CONTEXTS
from topology.deployments import MONOLITH, SERVERS, SERVICES

ALL_HEALTHY = dict.fromkeys(SERVERS, "healthy")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("share", [0, 1, 50, 100])
def test_share_may_change_if_both_sides_are_healthy(service: str, share: int) -> None:
    assert why_not_shift(ALL_HEALTHY, service, share) is None


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("share", "without", "sentence"),
    [
        (1, "itself", "{service} does not run, and would get 1 %"),
        (100, "itself", "{service} does not run, and would get 100 %"),
        (99, MONOLITH, "monolith does not run, and would get 1 %"),
        (0, MONOLITH, "monolith does not run, and would get 100 %"),
    ],
)
def test_server_that_does_not_run_gets_no_share(
    service: str, share: int, without: str, sentence: str
) -> None:
    absent = service if without == "itself" else without
    health = {name: state for name, state in ALL_HEALTHY.items() if name != absent}
    assert sentence.format(service=service) in str(why_not_shift(health, service, share))


@pytest.mark.parametrize("state", ["initial", "unhealthy"])
def test_server_that_is_not_healthy_gets_no_share(state: str) -> None:
    health = ALL_HEALTHY | {SERVICES[0]: state}
    assert f"is {state}" in str(why_not_shift(health, SERVICES[0], 1))
    assert why_not_shift(health, SERVICES[0], 0) is None


def test_monolith_that_gets_nothing_need_not_run() -> None:
    health = dict.fromkeys(SERVICES, "healthy")
    assert why_not_shift(health, SERVICES[0], 100) is None


@pytest.mark.parametrize("server", SERVERS)
def test_server_with_a_share_must_not_stop(server: str) -> None:
    shares = dict.fromkeys(SERVICES, 50)
    assert f"{server} still gets 50 %" in str(why_not_stop(ALL_HEALTHY, shares, server))


def test_monolith_may_stop_when_the_services_get_everything() -> None:
    assert why_not_stop(ALL_HEALTHY, dict.fromkeys(SERVICES, 100), MONOLITH) is None


@pytest.mark.parametrize("context", [one for one in CONTEXTS if one.calls], ids=str)
def test_service_that_a_running_service_calls_must_not_stop(context) -> None:  # type: ignore[no-untyped-def]
    shares = dict.fromkeys(SERVICES, 0)
    health = {context.name: "healthy"}
    for called in context.calls:
        found = why_not_stop(health | {called: "healthy"}, shares, called)
        assert found == (
            f"{context.name} runs and calls {called}: make stop CONTEXT={context.name} first"
        )
        assert why_not_stop({called: "healthy"}, shares, called) is None


def test_server_that_does_not_run_cannot_stop() -> None:
    assert why_not_stop({}, dict.fromkeys(SERVICES, 0), "web") == "web is not running"


@pytest.mark.parametrize("server", SERVERS)
def test_server_starts_after_those_that_it_calls(server: str) -> None:
    order = with_called(server)
    assert order[-1] == server
    for context in CONTEXTS:
        if context.name in order:
            assert all(order.index(one) < order.index(context.name) for one in context.calls)
