"""The board in each deployment: a test with the fixture `board` runs on several of them."""

import json
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping

import httpx
import pytest
import pytest_asyncio

from laptop import ports
from tests.deployments import Board, Run, processes, running
from tests.otlp import Collector, collecting
from tests.people import Person, joining, moderating, visiting


@pytest.fixture(scope="session")
def monolith_run() -> Iterator[Run]:
    """The monolith, as `make run DEPLOYMENT=monolith` starts it."""
    with processes("monolith") as run:
        yield run


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """The collector of the spans of `services_run`."""
    with collecting() as running:
        yield running


@pytest.fixture(scope="session")
def prometheus_port() -> int:
    """The port of the Prometheus beside `services_run`."""
    (port,) = ports.free(1)
    return port


@pytest.fixture(scope="session")
def services_run(collector: Collector, prometheus_port: int) -> Iterator[Run]:
    """The services, as `make run OBSERVE=1` starts them, with a collector of their spans. Without
    Prometheus on this machine, the other tests of it can still be run."""
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    if shutil.which("prometheus") is not None:
        variables |= {"OBSERVE": "1", "OBSERVE_PORT": str(prometheus_port)}
    with processes("microservices", variables) as run:
        yield run


IN_LOOP = ("monolith", "services")
AS_PROCESSES = ("services_run", "monolith_run")
"""Only with `--prove`: in containers, both pass the same tests in `make test-docker`."""
UNDER_TEST = "BOARD_UNDER_TEST"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks."""
    config.addinivalue_line("markers", "last: looks back on all tests that came before")
    config.addinivalue_line(
        "markers", "in_loop: rules of the application alone: real processes would add nothing"
    )
    config.addinivalue_line(
        "markers",
        "one_deployment: rules of one context, whose code is the same in each deployment; "
        "`make prove` runs them on both",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the tests that check what all others did to the end. If a board is given, leave out the
    tests that do not use it, or that need its processes."""
    if UNDER_TEST in os.environ:
        items[:] = [item for item in items if _is_about_a_given_board(item)]
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


def _is_about_a_given_board(item: pytest.Item) -> bool:
    needs = set(getattr(item, "fixturenames", ()))
    return "board" in needs and not needs & {"databases", "effort", "origins"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of `board` on all deployments, or only on those in this event loop."""
    if "board" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker
        thorough = metafunc.config.getoption("--prove")
        deployments = IN_LOOP + (AS_PROCESSES if thorough else ())
        if marked("one_deployment") is not None:
            deployments = IN_LOOP if thorough else IN_LOOP[:1]
        elif marked("in_loop") is not None:
            deployments = IN_LOOP
        if UNDER_TEST in os.environ:
            deployments = ("under_test",)
        metafunc.parametrize("board", deployments, indirect=True, scope="session")


@pytest.fixture(scope="session")
def under_test() -> Board:
    """A running board, described by BOARD_UNDER_TEST, which replaces all deployments."""
    return running(json.loads(os.environ[UNDER_TEST]))


@pytest.fixture(scope="session")
def board(request: pytest.FixtureRequest) -> Board:
    """The board, in each deployment in turn."""
    found: Board | Run = request.getfixturevalue(request.param)
    return found.board if isinstance(found, Run) else found


@pytest.fixture
def origins(board: Board) -> Mapping[str, str]:
    """The URLs of the processes behind the gateway by name, which a given board does not have."""
    return board.origins


@pytest_asyncio.fixture
async def visitor(board: Board) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is not signed in."""
    async with visiting(board) as http:
        yield http


@pytest_asyncio.fixture(scope="session")
async def person(board: Board) -> AsyncIterator[Person]:
    """A signed-in user. All tests on a board share it, so none may end its session."""
    async with joining(board) as someone:
        yield someone


@pytest_asyncio.fixture(scope="session")
async def other(board: Board) -> AsyncIterator[Person]:
    """Another signed-in user, also shared."""
    async with joining(board) as someone:
        yield someone


@pytest_asyncio.fixture(scope="session")
async def moderator(board: Board) -> AsyncIterator[Person]:
    """A signed-in moderator, also shared."""
    async with moderating(board) as someone:
        yield someone


@pytest_asyncio.fixture
async def newcomer(board: Board) -> AsyncIterator[Person]:
    """A new signed-in user for this test only."""
    async with joining(board) as someone:
        yield someone
