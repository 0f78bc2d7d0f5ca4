"""The result of a run, as text."""

from collections.abc import Iterator, Sequence

from chaos.episode import Episode
from strangle.audit import sentences
from strangle.history import History

_HEAD = (
    f"{'':2}{'fault':44}{'met':>6}{'failed':>8}{'slowest':>9}"
    f"{'others':>8}{'failed':>8}{'recovery':>10}"
)


def head() -> str:
    """The heading of the table."""
    return _HEAD


def row(episode: Episode, *, with_times: bool) -> Iterator[str]:
    """The line of one fault, followed by what is wrong."""
    figures = episode.figures
    mark = "✓" if episode.passed(with_times=with_times) else "✗"
    yield (
        f"{mark} {episode.fault.name:44}{figures.met:>6}{len(figures.failures):>8}"
        f"{figures.slowest_failure:>7.2f} s{figures.other_reads:>8}{len(figures.other_failed):>8}"
        f"{figures.recovery:>8.2f} s"
    )
    for checks, matters in ((episode.found, True), (episode.timed, with_times)):
        wrong = tuple(check for check in checks if not check.passed)
        for line in sentences(wrong):
            yield f"    {line}" if matters else f"    (only reported) {line}"


def summary(episodes: Sequence[Episode], histories: Sequence[History]) -> Iterator[str]:
    """What was acknowledged in the whole run, and the slowest recovery from a single fault."""
    requests = sum(len(history.samples) for history in histories)
    written = sum(len(history.posts) + len(history.threads) for history in histories)
    resumed = sum(stream.resumed for history in histories for stream in history.streams)
    yield (
        f"{len(episodes)} faults, {requests} requests, {written} acknowledged posts and threads, "
        f"{resumed} resumed streams"
    )
    alone = [episode for episode in episodes if len(episode.fault.broken) == 1]
    if alone:
        slowest = max(alone, key=lambda episode: episode.figures.recovery)
        seconds = slowest.figures.recovery
        yield f"slowest recovery from a single fault: {seconds:.2f} s ({slowest.fault.name})"
