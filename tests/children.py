"""Finds the processes that a process has started."""

import subprocess


def children(parent: int) -> dict[int, str]:
    """The command lines of all descendants of a process, by their ids."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    known = {int(pid): (int(ppid), args) for pid, ppid, args in (r for r in rows if len(r) == 3)}
    found: dict[int, str] = {}
    parents = {parent}
    while parents:
        parents = {pid for pid, (ppid, _) in known.items() if ppid in parents and pid not in found}
        found |= {pid: known[pid][1] for pid in parents}
    return found


def child_running(parent: int, program: str) -> int:
    """The id of the only descendant whose command line contains a text."""
    [found] = [pid for pid, args in children(parent).items() if program in args]
    return found
