"""A command that is wrong by itself is refused before a board is looked for."""

import re

import pytest

from rollout.errors import CannotRollOutError
from rollout.request import Shift, read_server, read_shift
from topology.deployments import SERVERS, SERVICES


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("share", ["0", "1", "37", "100"])
def test_any_whole_percentage_is_accepted(service: str, share: str) -> None:
    read = read_shift({"CONTEXT": service, "SHARE": share})
    assert read == Shift(service, int(share), force=False)


def test_force_is_read() -> None:
    assert read_shift({"CONTEXT": SERVICES[0], "SHARE": "1", "FORCE": "1"}).force


@pytest.mark.parametrize("share", ["101", "-1", "ten", "1.5", "²", "1e1", " 5", "0000", "999999"])
def test_share_that_is_no_percentage_is_refused(share: str) -> None:
    with pytest.raises(CannotRollOutError, match=re.escape(f"SHARE={share}: it must be a whole")):
        read_shift({"CONTEXT": SERVICES[0], "SHARE": share})


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "name a context and a share"),
        ({"CONTEXT": SERVICES[0]}, "name a context and a share"),
        ({"CONTEXT": "nothing", "SHARE": "1"}, f"one of {', '.join(SERVICES)}"),
        ({"CONTEXT": "monolith", "SHARE": "1"}, f"one of {', '.join(SERVICES)}"),
        ({"CONTEXT": SERVICES[0], "SHARE": "1", "FORCE": "yes"}, "FORCE=yes"),
    ],
)
def test_invalid_shift_is_refused(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(CannotRollOutError, match=re.escape(sentence)):
        read_shift(environment)


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_can_be_named(server: str) -> None:
    assert read_server({"CONTEXT": server}) == server


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [({}, "name what to start or stop"), ({"CONTEXT": "gateway"}, "CONTEXT=gateway")],
)
def test_server_that_does_not_exist_is_refused(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(CannotRollOutError, match=sentence):
        read_server(environment)
