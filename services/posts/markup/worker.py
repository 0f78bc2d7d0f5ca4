"""The process that renders, one text after the other. It is started by `pool` and ends with its
input, so it never outlives the process that started it.

A frame is a letter, a length of 4 bytes, and so many bytes of UTF-8: `t` the text to render, and
as the answer `h` its HTML, `r` the sentence of a refusal, or `d` the traceback of a defect.
"""

import resource
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from typing import BinaryIO

from services.posts.markup.bounds import Unrenderable
from services.posts.markup.renderer import Renderer

HEADER = struct.Struct(">cI")
TEXT, HTML, REFUSAL, DEFECT = b"t", b"h", b"r", b"d"

CPU_SECONDS = 1.0
MEMORY = 192 * 1024 * 1024
"""Bytes of data that a worker may allocate."""


def frame(kind: bytes, content: str) -> bytes:
    """The bytes of a frame."""
    body = content.encode()
    return HEADER.pack(kind, len(body)) + body


def serve(render: Callable[[str], str], requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer one request after the other until there are no more. A text that takes more than
    `CPU_SECONDS` of this process's time ends the process: nobody here handles SIGPROF."""
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
    except Exception:  # a defect: the process that asked logs it
        return frame(DEFECT, traceback.format_exc())


def main(public_origin: str) -> None:
    """Be a worker for the board that browsers know under this origin."""
    for asked_to_stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked_to_stop, signal.SIG_IGN)  # requests in flight still need it
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    renderer = Renderer(public_origin)
    renderer.to_html("Compile the *expressions* of https://example.org first.")
    serve(renderer.to_html, sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main(*sys.argv[1:])
