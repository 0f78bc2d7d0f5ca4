"""`python -m board COMMAND ...`."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence

import asyncpg

from board.settings import Bootstrap, Databases
from board.waking import Waking, wait_until_awake
from kernel.errors import Failure
from kernel.process import logs
from kernel.process.clock import utc_now
from kernel.process.settings import load

_STEPS = {
    "bootstrap": "make the contexts' roles and databases",
    "migrate": "bring the databases to the newest migration",
    "demo": "fill an empty board with the content of demo.toml",
}


def main() -> None:
    """Carry out commands, in order. What an operator can mend is said in a line, with exit
    status 1."""
    parser = argparse.ArgumentParser(prog="board", description="Commands for who runs the board.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in _STEPS.items():
        step = commands.add_parser(name, help=what, description=f"{what}.")
        step.add_argument("then", nargs="*", type=_step, help="what to do after that")
    grant = commands.add_parser("grant-admin", help="make somebody an admin")
    grant.add_argument("name", help="their username")
    arguments = parser.parse_args()
    logs.configure("text")
    if arguments.command == "grant-admin":
        work = _grant_admin(arguments.name)
    else:
        work = _carry_out([arguments.command, *arguments.then])
    try:
        asyncio.run(work)
    except* (OSError, asyncpg.PostgresError, TimeoutError, ValueError, Failure) as failures:
        for failure in _leaves(failures):
            print(f"board: {str(failure) or type(failure).__name__}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


def _step(name: str) -> str:
    # Not `choices`: with those, argparse wants at least one.
    if name not in _STEPS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(_STEPS)}")
    return name


async def _carry_out(commands: Sequence[str]) -> None:
    # Each command brings its own dependencies, and an image has those of the commands it is for.
    within = load(Waking).database_wakes_within
    for command in commands:
        if command == "bootstrap":
            from board.bootstrap import bootstrap

            settings = load(Bootstrap)
            await wait_until_awake(settings.admin_database_url, within)
            await bootstrap(settings.admin_database_url, settings.by_context())
        elif command == "migrate":
            from board.migrate import migrate

            databases = load(Databases).by_context()
            await wait_until_awake(next(iter(databases.values())), within)
            await migrate(databases)
        else:
            from board.demo import Settings, fill

            filled = load(Settings)
            await wait_until_awake(filled.users_database_url, within)
            await fill(filled, utc_now())


async def _grant_admin(name: str) -> None:
    from board.grant_admin import grant_admin
    from services.users.settings import UserDatabase

    url = load(UserDatabase).users_database_url
    await wait_until_awake(url, load(Waking).database_wakes_within)
    await grant_admin(url, name)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for failure in group.exceptions:
        if isinstance(failure, BaseExceptionGroup):
            yield from _leaves(failure)
        else:
            yield failure


if __name__ == "__main__":
    main()
