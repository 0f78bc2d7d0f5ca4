"""Sends the requests of a play, and records each of them."""

import re
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from strangle.errors import CannotPlayError
from strangle.history import History, Observation, Sample
from strangle.load.client import Client, RequestFailedError, Response
from topology.contexts import CONTEXTS
from topology.deployments import PAGE


class Recorder:
    """Sends requests, and records them and what their responses show."""

    def __init__(self, client: Client, history: History) -> None:
        self._client = client
        self.history = history
        self.in_flight: Counter[str] = Counter()
        """The number of requests without a response yet, by service."""

    async def send(
        self,
        due: float | None,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        expected: tuple[int, ...] = (200,),
        what: str | None = None,
    ) -> Response | None:
        """Send a request and record it. Returns None if the response is not as expected."""
        sent, service = time.monotonic(), service_of(path)
        status, server, problem, response = 0, "", None, None
        self.in_flight[service] += 1
        try:
            response = await self._client.send(
                method, path, token=token, headers=headers, body=body
            )
        except RequestFailedError as error:
            problem = str(error)
        else:
            status, server = response.status, response.server
            if status not in expected:
                problem = f"{status} {response.body[:200].decode('utf-8', 'replace')}"
        finally:
            self.in_flight[service] -= 1
        self.history.samples.append(
            Sample(
                sent if due is None else due,
                sent,
                time.monotonic(),
                service,
                server,
                what or f"{method} {_shape(path)}",
                status,
                problem,
                response is not None and "retry-after" in response.headers,
            )
        )
        return response if problem is None else None

    def observe(self, what: str, sent: float, version: int, response: Response) -> None:
        """Record the version of an object in the response to a request sent at that time."""
        self.history.observe(what, Observation(sent, time.monotonic(), version, response.server))

    async def required(self, method: str, path: str, body: object, token: str | None = None) -> Any:
        """Send a request that is no part of the load, and return the body of the response.

        Raises CannotPlayError if it is not a success.
        """
        try:
            response = await self._client.send(method, path, token=token, body=body)
        except RequestFailedError as error:
            raise CannotPlayError(f"{method} {path}: {error}") from error
        if response.status not in (200, 201):
            raise CannotPlayError(f"{method} {path}: {response.status} {response.body.decode()}")
        return response.json()


def service_of(path: str) -> str:
    """The service whose requests have that path."""
    plain = path.partition("?")[0]
    for context in CONTEXTS:
        if any(
            plain == prefix or plain.startswith(f"{prefix}/") for prefix in context.public_prefixes
        ):
            return context.name
    return PAGE


def _shape(path: str) -> str:
    return re.sub(r"\d+", "{id}", path.partition("?")[0])
