"""The pictures of the case workflow, made from its definition: `python -m
tests.architecture.case_pictures` writes them."""

import json
from pathlib import Path
from typing import Final

from services.cases.engines.definition import AfterEscalation, load_case_workflow
from workflow.picture import HEIGHT, WIDTH, Picture, lay_out, to_svg

ROOT: Final = Path(__file__).resolve().parents[2]


def pictures() -> dict[Path, str]:
    """Each file and what has to be in it."""
    loop = lay_out(load_case_workflow(AfterEscalation.LOOP))
    fail = lay_out(load_case_workflow(AfterEscalation.FAIL))
    return {
        ROOT / "docs" / "pictures" / "case-workflow.svg": to_svg(loop, "The workflow of a case"),
        ROOT / "docs" / "pictures" / "case-workflow-fail.svg": to_svg(
            fail, "The workflow of a case, as in the tutorial"
        ),
        ROOT / "web" / "static" / "cases" / "picture.js": _module(loop),
    }


def _module(picture: Picture) -> str:
    """What the page draws a case's way on."""
    states = [{"name": box.name, "type": box.type, "x": box.x, "y": box.y} for box in picture.boxes]
    ways = [
        {"from": way.origin, "to": way.target, "path": way.path, "caught": way.caught}
        for way in picture.ways
    ]
    lines = [
        "// Written by tests/architecture/case_pictures.py, of infra/case-workflow.asl.json.",
        f"export const SIZE = {{ width: {picture.width}, height: {picture.height} }};",
        f"export const BOX = {{ width: {WIDTH}, height: {HEIGHT} }};",
        "export const STATES = [",
        *(f"  {_object(state)}," for state in states),
        "];",
        "export const WAYS = [",
        *(f"  {_object(way)}," for way in ways),
        "];",
    ]
    return "\n".join(lines) + "\n"


def _object(fields: dict[str, object]) -> str:
    """An object as the formatter of the page's code writes it."""
    return "{ " + ", ".join(f"{name}: {json.dumps(value)}" for name, value in fields.items()) + " }"


def main() -> None:
    """Write the files."""
    for path, text in pictures().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
