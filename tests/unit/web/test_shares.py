"""The shares of traffic that the page shows, from the file with the gateway's rules."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from gateway.admin.control import Control
from gateway.admin.rules_file import write_rules
from gateway.gateway import start_gateway
from gateway.template.reader import load_routing
from tests.repository import ROOT
from tests.unit.web.readers import FakeBoard
from topology.deployments import SERVICES
from topology.routing import STAND_INS, share_parameter


@asynccontextmanager
async def page_with(
    rules_file: Path | None, *, named: bool = True
) -> AsyncIterator[httpx.AsyncClient]:
    async with FakeBoard().page(named=named, rules_file=rules_file) as client:
        yield client


def rules(**weights: int) -> str:
    """What the gateway writes for a listener with a rule without weights, and one with these."""
    forward = {"LogicalId": "Rule", "Priority": "1", "Weights": weights}
    return json.dumps([{"Listener": "Http", "Rules": [{"LogicalId": "Api"}, forward]}])


async def test_shares_are_read_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    async with page_with(file) as http:
        for share in (0, 10, 100):
            file.write_text(rules(PostsTargets=share, MonolithTargets=100 - share), "utf-8")
            answer = await http.get("/shares.json")
            assert answer.json() == {"posts": share}
            assert answer.headers["cache-control"] == "no-store"


async def test_weights_that_are_no_percentages_are_shown_as_percentages(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    async with page_with(file) as http:
        file.write_text(rules(WebTargets=1, MonolithTargets=3), "utf-8")
        assert (await http.get("/shares.json")).json() == {"web": 25}
        file.write_text(rules(WebTargets=0, MonolithTargets=0), "utf-8")
        assert (await http.get("/shares.json")).json() == {"web": 0}


async def test_page_understands_what_the_gateway_writes(tmp_path: Path) -> None:
    """Every service of infra/routing.yml has a share."""
    parameters = {**STAND_INS, **{share_parameter(name): "30" for name in SERVICES}}
    routing = load_routing(ROOT / "infra" / "routing.yml", parameters)
    gateway = await start_gateway(routing, {}, port=0)
    try:
        file = tmp_path / "rules.json"
        Control(gateway, lambda: routing, publish=partial(write_rules, file))
        async with page_with(file) as http:
            assert (await http.get("/shares.json")).json() == dict.fromkeys(SERVICES, 30)
    finally:
        await gateway.close()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "{}",
        "[1]",
        rules(PostsTargets=-1, MonolithTargets=1),
        rules(PostsTargets=1000, MonolithTargets=1),
        '[{"Rules": [{"Weights": {"PostsTargets": "10", "MonolithTargets": 90}}]}]',
    ],
)
async def test_invalid_file_of_rules_shows_no_shares(tmp_path: Path, content: str) -> None:
    file = tmp_path / "rules.json"
    file.write_text(content, encoding="utf-8")
    async with page_with(file) as http:
        assert (await http.get("/shares.json")).json() == {}


@pytest.mark.parametrize("file", [None, Path("/nowhere/rules.json")])
async def test_without_a_file_there_are_no_shares(file: Path | None) -> None:
    async with page_with(file) as http:
        assert (await http.get("/shares.json")).json() == {}


async def test_shares_are_hidden_where_processes_are_not_named(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text(rules(PostsTargets=10, MonolithTargets=90), encoding="utf-8")
    async with page_with(file, named=False) as http:
        assert (await http.get("/shares.json")).status_code == 404
