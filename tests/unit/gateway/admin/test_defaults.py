"""The gateway's defaults."""

import inspect

from gateway.admin.options import read_options
from gateway.gateway import start_gateway


def test_nobody_reaches_the_gateway_from_another_machine_by_default() -> None:
    assert read_options(["--template", "t.yml"], "alb").bind == "127.0.0.1"
    assert inspect.signature(start_gateway).parameters["bind"].default == "127.0.0.1"


def test_nothing_is_exposed_or_logged_by_default() -> None:
    options = read_options(["--template", "t.yml"], "alb")
    assert (options.metrics_port, options.admin_socket, options.access_log) == (None, None, "off")
