"""`make strangle`, as `python -m strangle`: plays the migration, and writes the report."""

import asyncio
import os
import signal
import sys
from contextlib import ExitStack

from strangle import settings
from strangle.audit import sentences
from strangle.board import running_board
from strangle.errors import CannotPlayError
from strangle.load.garbage import no_collections
from strangle.play import Play, Result
from strangle.settings import Settings
from strangle.show import terminal
from strangle.show.figures import step_latency
from strangle.show.report import write
from strangle.show.terminal import Terminal
from strangle.steps import Step, migration


def main() -> int:
    """Play. Returns 0 if the audit passed and no step was too slow, 1 otherwise, 2 for invalid
    settings, and 130 after Ctrl-C, if what had been acknowledged until then is there."""
    try:
        chosen = settings.read(os.environ)
    except CannotPlayError as error:
        sys.stderr.write(f"make strangle: {error}\n")
        return 2
    if chosen.step and not terminal.can_press_enter(sys.stdin):
        sys.stderr.write("make strangle: STEP=1 waits for Enter, and there is no terminal for it\n")
        return 2
    try:
        with no_collections():
            result = asyncio.run(_play(chosen))
    except CannotPlayError as error:
        sys.stderr.write(f"make strangle: {error}\n")
        return 1
    except KeyboardInterrupt:
        # Only before the signal handlers are installed, when nothing runs yet.
        return 130
    if result is None:
        return 130
    for sentence in sentences(result.checks):
        sys.stdout.write(f"{sentence}\n")
    timely = step_latency(result)
    for sentence in sentences((timely,)):
        shown = f"(only reported) {sentence}" if chosen.report_times else sentence
        sys.stdout.write(f"{shown}\n")
    for line in terminal.summary(result):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"The report: {write(result, chosen.report)}\n")
    if not (result.passed and (timely.passed or chosen.report_times)):
        return 1
    return 130 if result.interrupted else 0


def stop_at_signals(stop: asyncio.Event) -> None:
    """Let SIGINT and SIGTERM set `stop` from now on, in the running event loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


async def _play(chosen: Settings) -> Result | None:
    """Play on a board of its own. Returns None if Ctrl-C came before the load began."""
    stop = asyncio.Event()
    stop_at_signals(stop)
    starting = asyncio.create_task(_on_board(chosen, stop))
    return await starting


async def _on_board(chosen: Settings, stop: asyncio.Event) -> Result | None:
    sys.stdout.write(f"Starting the monolith in {chosen.data_folder} ...\n")
    async with running_board(chosen.data_folder, chosen.port) as board:
        if stop.is_set():
            return None
        steps = migration()
        shown = Terminal(len(steps), f"http://localhost:{board.port}")

        async def between(step: Step) -> None:
            if chosen.step:
                await shown.enter(step, stop)
            else:
                await asyncio.sleep(chosen.pause)

        play = Play(board, steps, rate=chosen.rate, streams=chosen.streams, between=between)
        with ExitStack() as stack:
            stack.enter_context(shown.live())
            showing = asyncio.create_task(shown.follow(play))
            stack.callback(showing.cancel)
            return await play.run(stop)


if __name__ == "__main__":
    sys.exit(main())
