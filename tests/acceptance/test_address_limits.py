"""The limit of requests from one address to one process; every documented operation counts."""

import re
from typing import Any

import httpx
import pytest

from tests.conventions import DOCUMENTS
from tests.databases import Databases
from tests.deployments import Limits, monolith_in_loop, services_in_loop

ONE_EACH = Limits(address_limit=1)


@pytest.mark.parametrize("deployment", [monolith_in_loop, services_in_loop])
async def test_every_operation_returns_429_above_the_address_limit(
    databases: Databases, deployment: Any
) -> None:
    asked = 0
    async with deployment(databases.urls, ONE_EACH) as origins:
        for path in DOCUMENTS:
            context = path.split("/")[2]
            url = origins.get(context, origins.get("monolith"))
            # Each context gets requests from a different address, and allows one from each.
            sender = {"X-Forwarded-For": f"192.0.2.{DOCUMENTS.index(path) + 1}"}
            async with httpx.AsyncClient(base_url=url, headers=sender, trust_env=False) as http:
                document = (await http.get(path)).json()
                for template, operations in document["paths"].items():
                    for method in operations:
                        response = await http.request(method, re.sub(r"\{\w+\}", "1", template))
                        assert response.status_code == 429, f"{method} {template}"
                        assert response.headers["content-type"] == "application/problem+json"
                        assert 1 <= int(response.headers["retry-after"]) <= 60
                        assert response.headers["ratelimit-policy"] == '"address";q=1;w=60'
                        assert response.headers["ratelimit"].startswith('"address";r=0;t=')
                        asked += 1
    assert asked >= 30


@pytest.mark.parametrize("deployment", [monolith_in_loop, services_in_loop])
async def test_address_limit_spares_other_addresses_and_health_checks(
    databases: Databases, deployment: Any
) -> None:
    async with (
        deployment(databases.urls, ONE_EACH) as origins,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        url = next(iter(origins.values()))
        statuses = [
            (await http.get(f"{url}/api/users", headers={"X-Forwarded-For": hops})).status_code
            for hops in ("192.0.2.1", "192.0.2.2", "192.0.2.2, 192.0.2.3", "192.0.2.9, 192.0.2.1")
        ]
        # Of several addresses, the last one counts, because the load balancer has added it.
        assert statuses == [200, 200, 200, 429]
        for _ in range(3):
            assert (await http.get(f"{url}/readyz")).status_code == 200


EMBEDDED = [
    {"Sec-Fetch-Dest": destination, "Sec-Fetch-Site": site}
    for destination in ("image", "audio", "video", "script", "style", "font", "iframe", "object",
                        "embed", "frame", "track", "manifest", "worker", "report", "")
    for site in ("same-origin", "cross-site")
]  # fmt: skip
OF_ANOTHER_SITE = [
    {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "")
]


@pytest.mark.parametrize("deployment", [monolith_in_loop, services_in_loop])
async def test_embedded_requests_do_not_count_against_the_address_limit(
    databases: Databases, deployment: Any
) -> None:
    async with (
        deployment(databases.urls, ONE_EACH) as origins,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        url = next(iter(origins.values()))
        for headers in [*EMBEDDED, *OF_ANOTHER_SITE]:
            for method in ("GET", "HEAD", "POST", "DELETE"):
                refused = await http.request(method, f"{url}/api/users", headers=headers)
                assert refused.status_code == 403, (method, headers)
                assert "ratelimit" not in refused.headers
        assert (await http.get(f"{url}/api/users")).status_code == 200
        assert (await http.get(f"{url}/api/users")).status_code == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "cross-site", "Authorization": "Bearer a"},
    ],
    ids=str,
)
async def test_scripts_of_the_board_and_opened_addresses_are_answered_and_counted(
    databases: Databases, headers: dict[str, str]
) -> None:
    async with (
        monolith_in_loop(databases.urls, ONE_EACH) as origins,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        url = origins["monolith"]
        assert (await http.get(f"{url}/api/users", headers=headers)).status_code == 200
        assert (await http.get(f"{url}/api/users", headers=headers)).status_code == 429
