"""`make chaos`, as `python -m chaos`: breaks the board, and writes the report."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby

from chaos import report, settings
from chaos.board import BrokenBoard
from chaos.compose import compose_board, is_possible
from chaos.episode import Episode, stage
from chaos.faults import everything
from chaos.processes import process_board
from chaos.settings import Settings
from strangle.errors import CannotPlayError
from strangle.history import History
from strangle.load.garbage import no_collections


def main() -> int:
    """Break. Returns 0 if every check passed, 1 if not, 2 for invalid settings, 130 after
    Ctrl-C."""
    try:
        chosen = settings.read(os.environ)
    except CannotPlayError as error:
        sys.stderr.write(f"make chaos: {error}\n")
        return 2
    try:
        with no_collections():
            return asyncio.run(_until_stopped(chosen))
    except CannotPlayError as error:
        sys.stderr.write(f"make chaos: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130  # only before the signal handlers are installed, when nothing runs yet


async def _until_stopped(chosen: Settings) -> int:
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(_run(chosen))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        sys.stdout.write("Interrupted. Nothing runs any more.\n")
        return 130


async def _run(chosen: Settings) -> int:
    wanted = [
        fault
        for fault in everything()
        if (fault.short or not chosen.short) and chosen.only in fault.name
    ]
    faults = [fault for fault in wanted if not chosen.in_compose or is_possible(fault)]
    left_out = [fault.name for fault in wanted if fault not in faults]
    if not faults:
        where = " that containers can have" if left_out else ""
        raise CannotPlayError(f"ONLY={chosen.only}: no fault{where} has this in its name")
    with_times = not chosen.report_times

    def show(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    episodes: list[Episode] = []
    histories: list[History] = []
    show(report.head())
    for (copies, clocks), group in groupby(faults, lambda fault: (fault.copies, fault.clocks)):
        async with (
            _board(chosen, copies, with_clocks=clocks) as board,
            stage(board, chosen.rate) as played,
        ):
            histories.append(played.history)
            for fault in group:
                episode = await played.play(fault)
                episodes.append(episode)
                for line in report.row(episode, with_times=with_times):
                    show(line)
    for line in report.summary(episodes, histories, left_out):
        show(line)
    passed = all(episode.passed(with_times=with_times) for episode in episodes)
    chosen.report.parent.mkdir(parents=True, exist_ok=True)
    written = report.page(episodes, histories, left_out, with_times=with_times)
    chosen.report.write_text(written, encoding="utf-8")
    sys.stdout.write(f"The report: {chosen.report}\n")
    return 0 if passed else 1


@asynccontextmanager
async def _board(chosen: Settings, copies: int, *, with_clocks: bool) -> AsyncIterator[BrokenBoard]:
    if chosen.in_compose:
        sys.stdout.write("Building the images, and starting the services in containers ...\n")
        sys.stdout.flush()
        async with compose_board(os.environ) as in_compose:
            yield in_compose
        return
    sys.stdout.write(f"Starting the services in {chosen.data_folder} ...\n")
    async with process_board(chosen.data_folder, copies, with_clocks=with_clocks) as of_processes:
        yield of_processes


if __name__ == "__main__":
    sys.exit(main())
