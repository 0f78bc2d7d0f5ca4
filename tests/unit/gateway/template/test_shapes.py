"""Templates in the shapes of public ones: each is accepted with these decisions, or refused with
these reasons. ``shapes/NAME/case.yml`` names its templates and options."""

import argparse
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.admin.explain import ImaginedRequest
from gateway.admin.template_options import add_template_options, load_templates
from gateway.routing.redirect import Redirect
from gateway.routing.rules import FixedResponse
from gateway.routing.settings import ListenerSettings, Routing
from gateway.template.reader import LoadedTemplates, RefusedTemplateError

SHAPES = Path(__file__).parent / "shapes"
NAMES = sorted(path.name for path in SHAPES.iterdir())


def load(arguments: str) -> LoadedTemplates:
    parser = argparse.ArgumentParser()
    add_template_options(parser)
    return load_templates(parser.parse_args(shlex.split(arguments)))


def decision(routing: Routing, asked: str) -> str:
    """The decision about a request. ``asked`` is ``[LISTENER] METHOD HOST/PATH [NAME=VALUE ...]``,
    where the name ``from`` is the source's address and others are headers."""
    words = asked.split()
    listeners = {listener.logical_id: listener for listener in routing.listeners}
    listener = listeners[words.pop(0)] if words[0] in listeners else routing.listeners[0]
    method, url, *more = words
    host, _, target = url.partition("/")
    given = dict(word.split("=", 1) for word in more)
    source = given.pop("from", "192.0.2.1")
    headers = {"Host": host, **given}
    request = ImaginedRequest(
        method.encode(),
        f"/{target}".encode(),
        tuple((name.encode(), value.encode()) for name, value in headers.items()),
        source,
    )
    return answer(listener, request)


def answer(listener: ListenerSettings, request: ImaginedRequest) -> str:
    action = listener.rules.match(request).action
    if isinstance(action, FixedResponse):
        return str(action.status)
    if isinstance(action, Redirect):
        location = action.location(request, listener.protocol, listener.port)
        return f"{action.status} {location.decode()}"
    if len(action.groups) == 1:
        return action.groups[0].target_group
    return " + ".join(f"{group.target_group} {group.weight}" for group in action.groups)


@pytest.mark.parametrize("name", NAMES)
def test_template_of_this_shape_routes_as_on_aws_or_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(SHAPES / name)
    case: dict[str, Any] = yaml.safe_load(Path("case.yml").read_text())
    if "refuses" in case:
        with pytest.raises(RefusedTemplateError) as refused:
            load(case["run"])
        assert len(refused.value.lines) == len(case["refuses"]), refused.value.lines
        for line in case["refuses"]:
            assert any(line in found for found in refused.value.lines), refused.value.lines
        return
    loaded = load(case["run"])
    wanted = [pair for each in case["decides"] for pair in each.items()]
    assert wanted
    for asked, expected in wanted:
        assert decision(loaded.routing, asked) == str(expected), asked
    warnings = case.get("warns", [])
    assert len(loaded.warnings) == len(warnings), loaded.warnings
    for line in warnings:
        assert any(line in found for found in loaded.warnings), loaded.warnings
    for group, port in case.get("health", {}).items():
        assert loaded.routing.target_groups[group].health_check.port == port
    secure = {listener.logical_id: listener for listener in loaded.routing.listeners}
    for listener, certificates in case.get("certificates", {}).items():
        assert secure[listener].certificates == tuple(certificates)


def test_shapes_are_at_least_forty_in_both_languages() -> None:
    templates = [path for path in SHAPES.rglob("*") if path.is_file() and path.name != "case.yml"]
    assert len(NAMES) >= 40
    assert len([path for path in templates if path.suffix == ".json"]) >= 10
    assert len([path for path in templates if path.suffix in (".yml", ".yaml")]) >= 20
