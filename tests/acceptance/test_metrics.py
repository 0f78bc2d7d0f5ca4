"""What Prometheus reads from the processes of a board."""

import re
from collections.abc import Mapping

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.deployments import Board
from tests.people import Person

Samples = Mapping[tuple[str, str], float]


async def samples_of(origin: str) -> Samples:
    """The samples of a process by name and labels, such as `context=posts,state=used`."""
    async with httpx.AsyncClient(base_url=origin, trust_env=False) as http:
        text = (await http.get("/metrics")).text
    names = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(names) == len(set(names)), "a family occurs once"
    return {
        (sample.name, ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.usefixtures("databases")  # a given board shows its metrics to nobody
@pytest.mark.in_loop
async def test_requests_are_counted_by_template_method_and_status(
    origins: Mapping[str, str], person: Person
) -> None:
    process = "monolith" if "monolith" in origins else "threads"
    labels = f"method=GET,operation=/api/threads/{{id}},process={process},status=404"
    before = (await samples_of(origins[process])).get(("board_requests_total", labels), 0)
    for thread in (2**62, 2**62 + 1):
        assert (await person.http.get(f"/api/threads/{thread}")).status_code == 404
    after = await samples_of(origins[process])
    assert after["board_requests_total", labels] == before + 2
    assert not [labels for _, labels in after if str(2**62) in labels]
    seconds = f"operation=/api/threads/{{id}},process={process}"
    assert after["board_request_seconds_count", seconds] >= 2


@pytest.mark.usefixtures("databases")  # a given board shows its metrics to nobody
@pytest.mark.in_loop
async def test_saturation_of_each_context_is_measured(
    origins: Mapping[str, str], person: Person
) -> None:
    await person.http.get("/api/users/me")
    for process, origin in origins.items():
        samples = await samples_of(origin)
        assert samples["process_open_fds", ""] > 0
        assert samples["board_requests_in_flight", f"process={process}"] >= 1
        contexts = {
            "monolith": {"users", "threads", "posts", "cases"}, "web": set[str](),
        }.get(process, {process})  # fmt: skip
        pools = {labels for name, labels in samples if name == "board_pool_connections_max"}
        assert pools == {f"context={context}" for context in contexts}
        for context in contexts:
            use = [
                samples["board_pool_connections", f"context={context},state={state}"]
                for state in ("used", "idle")
            ]
            assert 0 <= sum(use) <= samples["board_pool_connections_max", f"context={context}"]
            assert samples["board_pool_waiting", f"context={context}"] >= 0
            assert ("board_database_failures_total", f"context={context}") in samples
        assert (("board_activity_lag_seconds", "") in samples) is ("posts" in contexts)


async def test_every_called_service_has_a_circuit(services: Board) -> None:
    called = {
        process: {
            labels
            for name, labels in await samples_of(origin)
            if name in {"board_breaker_open", "board_breaker_refused_total"}
        }
        for process, origin in services.origins.items()
    }
    assert called == {
        "users": set(),
        "threads": {"callee=users"},
        "posts": {"callee=users", "callee=threads"},
        "cases": {"callee=users", "callee=threads", "callee=posts"},
        "web": {"callee=users", "callee=threads", "callee=posts"},
    }
