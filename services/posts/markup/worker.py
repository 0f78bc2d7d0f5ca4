"""A process that renders one text after the other. `pool` starts it, and it ends when its input is
closed, so it never outlives its parent.
"""

import resource
import signal
import sys
import traceback
from collections.abc import Callable
from typing import BinaryIO

from services.posts.markup.bounds import Unrenderable
from services.posts.markup.frames import DEFECT, HEADER, HTML, REFUSAL, frame
from services.posts.markup.renderer import Renderer

CPU_SECONDS = 1.0
MEMORY = 192 * 1024 * 1024
"""The most bytes of data that a worker may allocate."""


def serve(render: Callable[[str], str], requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the input ends. A text that takes more than `CPU_SECONDS` of CPU time
    ends the process, because SIGPROF has no handler."""
    while header := requests.read(HEADER.size):
        _, size = HEADER.unpack(header)
        text = requests.read(size).decode()
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        answer = _answer(render, text)
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(answer)
        answers.flush()


def _answer(render: Callable[[str], str], text: str) -> bytes:
    try:
        return frame(HTML, render(text))
    except Unrenderable as refusal:
        return frame(REFUSAL, str(refusal))
    except (MemoryError, RecursionError):
        return frame(REFUSAL, "This text is too intricate to be shown.")
    except Exception:  # a defect, which the parent process logs
        return frame(DEFECT, traceback.format_exc())


def main(public_origin: str) -> None:
    """Run a worker for the board at this origin."""
    for asked_to_stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked_to_stop, signal.SIG_IGN)  # requests in flight still need it
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    renderer = Renderer(public_origin)
    renderer.to_html("Compile the *expressions* of https://example.org first.")
    serve(renderer.to_html, sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main(*sys.argv[1:])
