"""`python -m board COMMAND ...`."""

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

import asyncpg

from board.settings import Bootstrap, Databases
from board.waking import Waking, wait_until_awake
from kernel.errors import Failure
from kernel.process import logs
from kernel.process.clock import utc_now
from kernel.process.settings import load

_STEPS = {
    "bootstrap": "create the contexts' roles and databases",
    "migrate": "migrate the databases to the newest version",
    "demo": "fill an empty board with the content of demo.toml",
}


def main() -> None:
    """Run the commands in order. An error that an operator can fix is printed as one line, and the
    exit status is 1."""
    parser = argparse.ArgumentParser(prog="board", description="Commands for operators.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in _STEPS.items():
        step = commands.add_parser(name, help=what, description=f"{what}.")
        step.add_argument("then", nargs="*", type=_step, help="commands to run afterwards")
    commands.choices["migrate"].add_argument(
        "--check", action="store_true",
        help="only show what would be done; the exit status is 3 if the version that runs may fail "
        "after it",
    )  # fmt: skip
    grant = commands.add_parser("grant-admin", help="make a user an admin")
    grant.add_argument("name", help="their username")
    deleting = commands.add_parser(
        "delete-accounts", help="delete accounts that a restore has brought back"
    )
    deleting.add_argument("user", type=int, nargs="+", help="the id of a user")
    outside = commands.add_parser(
        "outside-address", help="show which addresses the internet sees, over IPv4 and IPv6"
    )
    outside.add_argument("service", nargs="?", default=None, help="the URL of an address service")
    saving = commands.add_parser("backup", help="write the databases of all contexts to a file")
    saving.add_argument("file", help="the file, which must not exist; - is the standard output")
    restoring = commands.add_parser("restore", help="fill an empty board from a backup")
    restoring.add_argument(
        "file", help="what `backup` has written; - is the standard input, by a file in TMPDIR"
    )
    restoring.add_argument(
        "--replace", action="store_true", help="delete what is there, if the board isn't empty"
    )
    arguments = parser.parse_args()
    # A backup may go to the standard output.
    logs.configure("text", sys.stderr if arguments.command == "backup" else sys.stdout)
    work: Coroutine[Any, Any, int | None]
    if arguments.command == "grant-admin":
        work = _grant_admin(arguments.name)
    elif arguments.command == "delete-accounts":
        work = _delete_accounts(arguments.user)
    elif arguments.command == "outside-address":
        work = _show_outside_addresses(arguments.service)
    elif arguments.command == "backup":
        work = _back_up(arguments.file)
    elif arguments.command == "restore":
        work = _restore(arguments.file, replace=arguments.replace)
    elif arguments.command == "migrate" and arguments.check:
        if arguments.then:
            parser.error("--check runs no commands afterwards")
        work = _check_migrations()
    else:
        work = _carry_out([arguments.command, *arguments.then])
    status = 0
    try:
        status = asyncio.run(work) or 0
    except* (OSError, asyncpg.PostgresError, TimeoutError, ValueError, Failure) as failures:
        for failure in _leaves(failures):
            print(f"board: {str(failure) or type(failure).__name__}", file=sys.stderr)  # noqa: T201
        status = 1
    sys.exit(status)


def _step(name: str) -> str:
    # Not `choices`, with which argparse requires at least one value.
    if name not in _STEPS:
        raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(_STEPS)}")
    return name


async def _carry_out(commands: Sequence[str]) -> None:
    # Imported here, because an image has only the dependencies of the commands that it runs.
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


async def _check_migrations() -> int:
    from board.pending import pending

    databases = load(Databases).by_context()
    await wait_until_awake(next(iter(databases.values())), load(Waking).database_wakes_within)
    found = await pending(databases)
    for line in found.lines():
        print(line)  # noqa: T201 - what the command is for
    return found.exit_status


async def _grant_admin(name: str) -> None:
    from board.grant_admin import grant_admin
    from services.users.settings import UserDatabase

    url = load(UserDatabase).users_database_url
    await wait_until_awake(url, load(Waking).database_wakes_within)
    await grant_admin(url, name)


async def _delete_accounts(users: Sequence[int]) -> None:
    from board.delete_accounts import delete_accounts
    from services.users.settings import UserDatabase

    url = load(UserDatabase).users_database_url
    await wait_until_awake(url, load(Waking).database_wakes_within)
    await delete_accounts(url, users)


async def _show_outside_addresses(service: str | None) -> None:
    from board.outside_address import SERVICE, outside_addresses

    for line in await outside_addresses(service or SERVICE):
        print(line)  # noqa: T201 - what the command is for


async def _back_up(target: str) -> None:
    from board.backups.backup import backup

    databases = load(Databases).by_context()
    await wait_until_awake(next(iter(databases.values())), load(Waking).database_wakes_within)
    await backup(databases, target, utc_now())


async def _restore(source: str, *, replace: bool) -> None:
    from board.backups.restore import input_file, restore

    databases = load(Databases).by_context()
    await wait_until_awake(next(iter(databases.values())), load(Waking).database_wakes_within)
    with input_file(source) as path:
        await restore(databases, path, replace=replace)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for failure in group.exceptions:
        if isinstance(failure, BaseExceptionGroup):
            yield from _leaves(failure)
        else:
            yield failure


if __name__ == "__main__":
    main()
