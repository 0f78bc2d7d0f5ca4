"""`python -m board COMMAND ...`."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence

import asyncpg

from board.settings import Bootstrap, Databases
from kernel import logs
from kernel.clock import utc_now
from kernel.errors import Failure
from kernel.settings import load


def main() -> None:
    """Carry out commands, in order. What an operator can mend is said in a line, with exit
    status 1."""
    parser = argparse.ArgumentParser(prog="board", description="Commands for who runs the board.")
    parser.add_argument(
        "commands",
        nargs="+",
        choices=["bootstrap", "migrate", "demo"],
        help="make the contexts' roles and databases; bring the databases to the newest migration; "
        "fill an empty board with people, threads and posts",
    )
    arguments = parser.parse_args()
    logs.configure("text")
    try:
        asyncio.run(_carry_out(arguments.commands))
    except* (OSError, asyncpg.PostgresError, TimeoutError, ValueError, Failure) as failures:
        for failure in _leaves(failures):
            print(f"board: {str(failure) or type(failure).__name__}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


async def _carry_out(commands: Sequence[str]) -> None:
    # Each command brings its own dependencies, and an image has those of the commands it is for.
    for command in commands:
        if command == "bootstrap":
            from board.bootstrap import bootstrap

            settings = load(Bootstrap)
            await bootstrap(settings.admin_database_url, settings.by_context())
        elif command == "migrate":
            from board.migrate import migrate

            await migrate(load(Databases).by_context())
        else:
            from board.demo import fill

            await fill(load(Databases), utc_now())


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for failure in group.exceptions:
        if isinstance(failure, BaseExceptionGroup):
            yield from _leaves(failure)
        else:
            yield failure


if __name__ == "__main__":
    main()
