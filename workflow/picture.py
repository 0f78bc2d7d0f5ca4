"""A picture of a state machine: where its states are, and the ways between them, also as SVG.

States are in rows, each below those that lead to it; a way back up goes around. A state that only
errors lead to is at the right.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from workflow.choices import Comparison
from workflow.states import Choice, Machine, State, Task

WIDTH: Final = 148
HEIGHT: Final = 44
_ACROSS: Final = 44
_DOWN: Final = 52
_EDGE: Final = 16


@dataclass(frozen=True, slots=True)
class Box:
    """A state, with the position of its box's upper left corner."""

    name: str
    type: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Way:
    """What leads from one state to another: `path` as in SVG. `caught` is true for errors."""

    origin: str
    target: str
    path: str
    label: str
    label_x: int
    label_y: int
    caught: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole machine, in pixels."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class _Link:
    origin: str
    target: str
    label: str = ""
    caught: bool = False


def lay_out(machine: Machine) -> Picture:
    """The picture of a machine."""
    links = [link for state in machine.states.values() for link in _links(state)]
    rows = _rows(machine, [link for link in links if not link.caught])
    aside = [name for name in machine.states if name not in rows]
    boxes = _boxes(machine, rows, aside)
    ways = tuple(_way(link, boxes, rows) for link in links)
    return Picture(
        max(box.x for box in boxes.values()) + WIDTH + _EDGE,
        max(box.y for box in boxes.values()) + HEIGHT + _EDGE,
        tuple(boxes.values()),
        ways,
    )


def _links(state: State) -> Iterator[_Link]:
    kind = state.kind
    if isinstance(kind, Choice):
        for rule, target in kind.rules:
            yield _Link(state.name, target, _condition(rule))
        if kind.default is not None:
            yield _Link(state.name, kind.default, "otherwise")
        return
    following = getattr(kind, "next", None)
    if following is not None:
        yield _Link(state.name, following)
    if isinstance(kind, Task):
        for catcher in kind.catchers:
            errors = [one for one in catcher.errors if one != "States.ALL"]
            yield _Link(state.name, catcher.next, ", ".join(errors), caught=True)


def _condition(rule: object) -> str:
    if isinstance(rule, Comparison) and rule.name.endswith("Equals") and rule.variable.steps:
        return f"{rule.variable.steps[-1]} = {rule.operand}"
    return ""


def _rows(machine: Machine, links: Sequence[_Link]) -> dict[str, int]:
    """The row of each state that does not only follow errors: the longest way there, without ways
    back."""
    following: dict[str, list[str]] = {}
    for link in links:
        following.setdefault(link.origin, []).append(link.target)
    rows: dict[str, int] = {}

    def visit(name: str, row: int, above: tuple[str, ...]) -> None:
        if name in above or rows.get(name, -1) >= row:
            return
        rows[name] = row
        for target in following.get(name, []):
            visit(target, row + 1, (*above, name))

    visit(machine.start_at, 0, ())
    return rows


def _boxes(machine: Machine, rows: Mapping[str, int], aside: Sequence[str]) -> dict[str, Box]:
    by_row: dict[int, list[str]] = {}
    for name in machine.states:
        if name in rows:
            by_row.setdefault(rows[name], []).append(name)
    widest = max(len(names) for names in by_row.values())
    total = widest * WIDTH + (widest - 1) * _ACROSS
    found: dict[str, Box] = {}
    for row, names in by_row.items():
        left = _EDGE + (total - len(names) * WIDTH - (len(names) - 1) * _ACROSS) // 2
        for column, name in enumerate(names):
            x = left + column * (WIDTH + _ACROSS)
            found[name] = Box(name, machine.states[name].type, x, _top(row))
    middle = max(by_row) // 2
    for number, name in enumerate(aside):
        x = _EDGE + total + 2 * _ACROSS
        found[name] = Box(name, machine.states[name].type, x, _top(middle + number))
    return {name: found[name] for name in machine.states}


def _top(row: int) -> int:
    return _EDGE + row * (HEIGHT + _DOWN)


def _way(link: _Link, boxes: Mapping[str, Box], rows: Mapping[str, int]) -> Way:
    origin, target = boxes[link.origin], boxes[link.target]
    if link.target not in rows:
        start = (origin.x + WIDTH, origin.y + HEIGHT // 2)
        end = (target.x, target.y + HEIGHT // 2)
        bend = (start[0] + end[0]) // 2
        path = _curve(start, (bend, start[1]), (bend, end[1]), end)
    elif rows[link.target] <= rows[link.origin]:
        start = (origin.x + WIDTH, origin.y + HEIGHT // 2)
        end = (target.x + WIDTH, target.y + HEIGHT // 2)
        bend = max(start[0], end[0]) + _ACROSS
        path = _curve(start, (bend, start[1]), (bend, end[1]), end)
    elif _is_covered(origin, target, boxes):
        # Around the states between them.
        start = (origin.x, origin.y + HEIGHT // 2)
        end = (target.x, target.y + HEIGHT // 2)
        bend = min(start[0], end[0]) - _ACROSS
        path = _curve(start, (bend, start[1]), (bend, end[1]), end)
    elif link.caught:
        start = (origin.x + WIDTH, origin.y + HEIGHT // 2)
        end = (target.x + WIDTH * 3 // 4, target.y)
        path = _curve(start, (end[0], start[1]), (end[0], start[1]), end)
    else:
        start = (origin.x + WIDTH // 2, origin.y + HEIGHT)
        end = (target.x + WIDTH // 2, target.y)
        bend = (start[1] + end[1]) // 2
        path = _curve(start, (start[0], bend), (end[0], bend), end)
    # In the middle, or in front of the target, if there are states beside the middle.
    is_long = end[1] - start[1] > _DOWN
    middle = ((start[0] + end[0]) // 2, end[1] - 14 if is_long else (start[1] + end[1]) // 2)
    return Way(link.origin, link.target, path, link.label, *middle, link.caught)


def _is_covered(origin: Box, target: Box, boxes: Mapping[str, Box]) -> bool:
    """Whether a state is between two that are one above the other."""
    return origin.x == target.x and any(
        origin.y < box.y < target.y and abs(box.x - origin.x) < WIDTH // 2 for box in boxes.values()
    )


def _curve(*points: tuple[int, int]) -> str:
    start, *others = points
    return f"M{start[0]} {start[1]}C" + " ".join(f"{x} {y}" for x, y in others)


_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #1d2433; text-anchor: middle; }
.label { font-size: 11px; fill: #5a6478; paint-order: stroke; stroke: #fff; stroke-width: 4px; }
.state { fill: #eef2fb; stroke: #5b76b8; stroke-width: 1.5; }
.Choice { fill: #fff6e0; stroke: #b98a1d; }
.Fail { fill: #fdecec; stroke: #c25555; }
.way { fill: none; stroke: #5a6478; stroke-width: 1.5; marker-end: url(#end); }
.caught { stroke: #c9a0a0; stroke-dasharray: 4 4; }
""".strip()


def to_svg(picture: Picture, title: str) -> str:
    """The picture as an SVG document. Labels of errors are left out: their ways are dashed."""
    size = f'width="{picture.width}" height="{picture.height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{_STYLE}\n</style>",
        '<marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
        ' orient="auto"><path d="M0 0L8 4L0 8z" fill="#5a6478"/></marker>',
        f'<rect {size} fill="#fff"/>',
    ]
    for way in picture.ways:
        kind = "way caught" if way.caught else "way"
        lines.append(f'<path class="{kind}" d="{way.path}"/>')
    for way in picture.ways:
        if way.label and not way.caught:
            at = f'x="{way.label_x}" y="{way.label_y}"'
            lines.append(f'<text class="label" {at}>{escape(way.label)}</text>')
    for box in picture.boxes:
        radius = HEIGHT // 2 if box.type in {"Choice", "Fail", "Succeed"} else 6
        lines += [
            f'<rect class="state {box.type}" x="{box.x}" y="{box.y}" width="{WIDTH}"'
            f' height="{HEIGHT}" rx="{radius}"/>',
            f'<text x="{box.x + WIDTH // 2}" y="{box.y + HEIGHT // 2 + 5}">'
            f"{escape(box.name)}</text>",
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"
