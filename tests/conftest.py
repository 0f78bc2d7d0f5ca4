"""Fixtures of several folders: one PostgreSQL, and both deployments on its databases."""

import gc
from collections.abc import AsyncIterator, Generator, Iterator

import pytest
import pytest_asyncio
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.databases import Databases, prepare, running_server
from tests.deployments import Board, behind_gateway, monolith_in_loop, services_in_loop
from tests.effort import BRIEF, LEFT_OUT, THOROUGH, Effort
from tests.logs import LogOfThisProcess, logging_to
from tests.scheduling import GroupedByDeployment, turn


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--prove`, which `make prove` uses."""
    parser.addoption(
        "--prove", action="store_true", help="let generative tests run for minutes, not seconds"
    )
    parser.addoption(
        "--posts", type=int, default=20_000, help="how many posts PostgreSQL's plans are made for"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark `prove`, and a hypothesis profile without a deadline for each example."""
    settings.register_profile("board", deadline=None)
    settings.load_profile("board")
    config.addinivalue_line("markers", "prove: generative; `make prove` runs it for longer")
    config.addinivalue_line(
        "markers", "measured: bounds processor time, on a quiet machine; only `make prove` runs it"
    )
    config.addinivalue_line(
        "markers",
        "twice: shows with real processes what a faster test, or a step of .ci/run, shows too; "
        "only `make prove` runs it",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while tests are collected, and leave what exists then out of each later
    collection of garbage: thousands of tests, which stay until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Except in `make prove`, leave out the tests that only measure, and those that repeat what is
    tested elsewhere, unless the command line names files or tests. Put the others into the order of
    their turns."""
    named = any(
        not argument.startswith("-") and ("::" in argument or argument.endswith(".py"))
        for argument in config.invocation_params.args
    )
    left_out = {
        item
        for item in items
        if not config.getoption("--prove")
        if item.get_closest_marker("measured") or (item.get_closest_marker("twice") and not named)
    }
    config.stash[LEFT_OUT] = frozenset(item.path for item in left_out)
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: turn(item.nodeid))


@pytest.fixture(scope="session")
def effort(request: pytest.FixtureRequest) -> Effort:
    """How much work generative tests do."""
    return THOROUGH if request.config.getoption("--prove") else BRIEF


@pytest.fixture(scope="session")
def database_server() -> Iterator[Databases]:
    """One PostgreSQL for the deployments in this process, which share its databases."""
    with running_server() as databases:
        yield databases


@pytest_asyncio.fixture(scope="session")
async def databases(database_server: Databases) -> Databases:
    """The same PostgreSQL, with the contexts' databases, migrated."""
    await prepare(database_server)
    return database_server


@pytest.fixture(scope="session")
def log_of_this_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogOfThisProcess]:
    """The log of the boards in this process."""
    with logging_to(tmp_path_factory.mktemp("logs") / "log") as log:
        yield log


@pytest_asyncio.fixture(scope="session")
async def monolith(
    databases: Databases, log_of_this_process: LogOfThisProcess
) -> AsyncIterator[Board]:
    """The monolith behind the gateway, in this event loop."""
    urls = databases.urls
    async with (
        monolith_in_loop(urls) as origins,
        behind_gateway(origins, urls, log=log_of_this_process) as board,
    ):
        yield board


@pytest_asyncio.fixture(scope="session")
async def services(
    databases: Databases, log_of_this_process: LogOfThisProcess
) -> AsyncIterator[Board]:
    """The services behind the gateway, in this event loop."""
    urls = databases.urls
    async with (
        services_in_loop(urls) as origins,
        behind_gateway(origins, urls, log=log_of_this_process) as board,
    ):
        yield board


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Distribute the tests over processes as `tests.scheduling` does."""
    return GroupedByDeployment(config, log)
