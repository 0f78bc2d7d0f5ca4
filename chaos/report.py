"""The result of a run: lines for the terminal, and a page in Markdown."""

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


def page(
    episodes: Sequence[Episode],
    histories: Sequence[History],
    left_out: Sequence[str],
    *,
    with_times: bool,
) -> str:
    """The whole run in Markdown: a table of the faults, what is wrong, and the summary."""
    failed = [one for one in episodes if not one.passed(with_times=with_times)]
    lines = [
        "# What the board survived",
        "",
        f"{len(episodes) - len(failed)} of {len(episodes)} faults passed every check.",
        "",
        "| | fault | requests that met it | failed | slowest failure, s "
        "| reads of other parts | failed | all is well again after, s |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for episode in episodes:
        figures = episode.figures
        mark = "✓" if episode.passed(with_times=with_times) else "✗"
        lines.append(
            f"| {mark} | {episode.fault.name} | {figures.met} | {len(figures.failures)} "
            f"| {figures.slowest_failure:.2f} | {figures.other_reads} "
            f"| {len(figures.other_failed)} | {figures.recovery:.2f} |"
        )
    for episode in failed:
        lines += ["", f"## {episode.fault.name}", ""]
        wrong = [check for check in (*episode.found, *episode.timed) if not check.passed]
        lines += [f"    {line}" for line in sentences(tuple(wrong))]
    lines += ["", *(f"- {line}" for line in summary(episodes, histories, left_out)), ""]
    return "\n".join(lines)


def summary(
    episodes: Sequence[Episode], histories: Sequence[History], left_out: Sequence[str]
) -> Iterator[str]:
    """What was acknowledged in the whole run, the slowest recovery from a single fault, and the
    faults that this board cannot have."""
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
    if left_out:
        yield f"left out, because containers cannot have them: {', '.join(left_out)}"
