"""The limit on requests from one address, with a clock that the test sets."""

from ipaddress import ip_network

import httpx
import pytest
from starlette.responses import PlainTextResponse

from kernel.errors import Policy
from kernel.http.addresses.limit import AddressLimit
from kernel.http.request_middleware import RequestMiddleware
from kernel.process.lifecycle import Lifecycle
from kernel.process.telemetry import Telemetry

TRUSTED = (ip_network("127.0.0.0/8"),)


class Limited:
    """An application that accepts two requests from an address in a minute."""

    def __init__(self) -> None:
        self.now = 1000.0
        limit = AddressLimit(
            PlainTextResponse("Hello"), Policy("address", 2, 60), TRUSTED, lambda: self.now
        )
        # The outermost layer adds the fields of the others to the response.
        app = RequestMiddleware(limit, Telemetry("test"), Lifecycle(), None)
        self._transport = httpx.ASGITransport(app)

    async def ask(self, address: str = "192.0.2.1", path: str = "/api/posts") -> httpx.Response:
        """The response to a request from this address, through the load balancer."""
        async with httpx.AsyncClient(transport=self._transport, base_url="http://board") as http:
            return await http.get(path, headers={"X-Forwarded-For": address})


async def test_limited_address_is_served_again_after_its_window() -> None:
    limited = Limited()
    first = await limited.ask()
    assert (first.status_code, first.headers["ratelimit"]) == (200, '"address";r=1;t=60')
    assert (await limited.ask()).status_code == 200
    for passed in range(1, 60):
        limited.now = 1000.0 + passed
        refused = await limited.ask()
        assert (refused.status_code, refused.headers["retry-after"]) == (429, str(60 - passed))
    limited.now = 1060.0
    assert [(await limited.ask()).status_code for _ in range(3)] == [200, 200, 429]


async def test_addresses_are_counted_apart() -> None:
    limited = Limited()
    statuses = [(await limited.ask("192.0.2.1")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert (await limited.ask("192.0.2.2")).status_code == 200


async def test_documents_count_with_the_requests_for_the_api() -> None:
    limited = Limited()
    statuses = [
        (await limited.ask(path=path)).status_code for path in ("/", "/api/posts", "/threads/1")
    ]
    assert statuses == [200, 200, 429]


@pytest.mark.parametrize(
    "path", ["/readyz", "/livez", "/metrics", "/internal/users", "/assets/app.1.js"]
)
async def test_health_checks_services_and_files_are_not_counted(path: str) -> None:
    limited = Limited()
    assert [(await limited.ask(path=path)).status_code for _ in range(3)] == [200] * 3
