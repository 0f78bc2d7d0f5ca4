"""Starts a program that ends when the process that started it ends.

This module runs as a script, with the command line that `command()` returns. It switches to the
given user, asks the kernel for a signal when its parent dies, and replaces itself by the program,
which therefore keeps its process id. It is not a `preexec_fn`, because Python code between fork and
exec can deadlock if the parent has threads.

Only Linux has PR_SET_PDEATHSIG (prctl(2), PR_SET_PDEATHSIG(2const)). Elsewhere the program is
started without it, and a parent that is killed with SIGKILL leaves its children behind.

To the kernel, the parent is the *thread* that started the program, so start it from a thread that
lives as long as the program should.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def command(
    program: list[str],
    *,
    death_signal: signal.Signals,
    account: tuple[int, int, list[int]] | None = None,
) -> list[str]:
    """The command line that starts `program` so that it ends with the calling process.

    The program gets `death_signal` when the calling thread ends. `account` is the user id, the
    group id and the supplementary group ids to run it as, which needs root.
    """
    who = "-"
    if account is not None:
        uid, gid, groups = account
        who = f"{uid}:{gid}:{','.join(map(str, groups))}"
    script = str(Path(__file__).resolve())
    # Isolated and without site-packages: a bare interpreter starts in a few milliseconds.
    start = [sys.executable, "-I", "-S", script, str(os.getpid()), str(death_signal.value), who]
    return start + program


def _become(who: str) -> None:
    uid, gid, groups = who.split(":")
    os.setgroups([int(group) for group in groups.split(",") if group])
    os.setgid(int(gid))
    os.setuid(int(uid))


def _main(arguments: list[str]) -> None:
    parent, death_signal, who, *program = arguments
    # Loaded before the user changes: the new user may not be able to read the interpreter's files.
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if who != "-":
        _become(who)
    if libc is not None:
        # Requested after setuid, which would clear it.
        if libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"prctl(PR_SET_PDEATHSIG): {os.strerror(number)}")
        # The parent may have died before the kernel was asked.
        if os.getppid() != int(parent):
            sys.exit(f"{program[0]}: the process that started this one has ended")
    # Python ignores these two signals, and the program would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(program[0], program)  # noqa: S606 - a list, no shell
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


if __name__ == "__main__":
    _main(sys.argv[1:])
