"""Preparing the page's files."""

import gzip
import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from kernel.errors import FAILURES
from web.markup.templates import FOLDER
from web.markup.texts import OF_TEMPLATES
from web.site import PREFIX, STATIC, build

TEXTS = sorted((STATIC / "text").glob("*.js"))
WORDS = "\n".join(path.read_text(encoding="utf-8") for path in TEXTS)
KEYS = set(re.findall(r'^  "([^"]+)":', WORDS, re.MULTILINE))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "views").mkdir()
    (tmp_path / "a.css").write_text("p { margin: 0 }")
    (tmp_path / "app.js").write_text('import { b } from "./b.js";\nimport("./views/late.js");\n')
    (tmp_path / "b.js").write_text('import {\n  c,\n} from "./views/c.js";\nexport const b = c;\n')
    (tmp_path / "views" / "c.js").write_text('import "../b.js";\nexport const c = 1;\n')
    (tmp_path / "views" / "late.js").write_text("export const late = 1;\n")
    return tmp_path


def names(folder: Path) -> dict[str, str]:
    return {re.sub(r"\.[0-9a-f]{12}\.", ".", name): name for name in build(folder).assets}


def test_changed_file_changes_only_its_own_name(folder: Path) -> None:
    before = names(folder)
    (folder / "views" / "c.js").write_text('import "../b.js";\nexport const c = 2;\n')
    after = names(folder)
    assert {name for name in before if before[name] != after[name]} == {"views/c.js"}


def test_import_map_maps_every_module_to_its_hashed_name(folder: Path) -> None:
    named = names(folder)
    assert json.loads(build(folder).import_map)["imports"] == {
        PREFIX + name: PREFIX + named[name] for name in named if name.endswith(".js")
    }


def test_policy_allows_only_the_import_map_as_inline_script(folder: Path) -> None:
    for site in (build(folder), build()):
        digest = b64encode(sha256(site.import_map.encode()).digest()).decode()
        assert f"script-src 'self' 'sha256-{digest}';" in site.policy
        assert "unsafe" not in site.policy


def test_policy_allows_other_origins_only_for_pictures() -> None:
    site = build()
    policy = dict(part.split(" ", 1) for part in site.policy.split("; "))
    [script] = re.findall(r"'sha256-[^']+'", policy.pop("script-src"))
    assert script in site.policy
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self' https: http: data:",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "board",
    }


def test_only_static_imports_are_preloaded(
    folder: Path,
) -> None:
    named = names(folder)
    assert build(folder).preloads == [
        PREFIX + named[name] for name in ("app.js", "b.js", "views/c.js")
    ]


def test_serves_modules_without_jsdoc_and_with_the_same_lines(folder: Path) -> None:
    source = (
        "// Stays.\n"
        "/** A number.\n"
        " * @param {number} n */\n"
        "export function f(n) {\n"
        "  /** @type {number} */\n"
        "  const m = n; // stays, too\n"
        "  return m; /* and so does this */\n"
        "}\n"
    )
    served = (
        "// Stays.\n"
        "\n"
        "\n"
        "export function f(n) {\n"
        "\n"
        "  const m = n; // stays, too\n"
        "  return m; /* and so does this */\n"
        "}\n"
    )
    (folder / "views" / "c.js").write_text(source)
    assert build(folder).assets[names(folder)["views/c.js"]].body.decode() == served


def test_compressed_files_are_smaller_and_have_the_same_content() -> None:
    for name, file in build().assets.items():
        if file.compressed is not None:
            assert gzip.decompress(file.compressed) == file.body, name
            assert len(file.compressed) < len(file.body), name


def test_two_instances_serve_the_same_bytes() -> None:
    assert build() == build()


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("b.js", 'import { x } from "./gone.js";\n', "b.js: there is no gone.js"),
        ("page.php", "?", "page.php: files of this type are not served"),
    ],
)
def test_invalid_file_or_reference_is_rejected_by_name(
    folder: Path, file: str, content: str, message: str
) -> None:
    (folder / file).write_text(content)
    with pytest.raises(ValueError, match=re.escape(message)):
        build(folder)


def test_address_of_a_file_that_does_not_exist_is_rejected(folder: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("there is no gone.css")):
        build(folder).url("gone.css")


def test_every_kind_of_problem_is_explained() -> None:
    explained = {key.split(":")[1] for key in KEYS if key.startswith("problem:")}
    assert explained == set(FAILURES)
    for slug in FAILURES:
        assert {f"problem:{slug}", f"problem:{slug}:what", f"problem:{slug}:do"} <= KEYS


def test_text_keys_match_the_keys_that_the_page_uses() -> None:
    sources = [path.read_text() for path in STATIC.rglob("*.js") if path not in TEXTS]
    templates = [path.read_text() for path in FOLDER.glob("*.html")]
    python = [path.read_text() for path in STATIC.parent.rglob("*.py")]
    of_templates = json.loads(OF_TEMPLATES.read_text("utf-8")).keys()
    assert not of_templates & KEYS
    keys = KEYS | of_templates
    asked = set(re.findall(r'\bt\(\s*"([^"]+)"\s*[,)]', "\n".join(sources)))
    assert asked <= KEYS
    code = "\n".join([*sources, *python, *templates])
    asked = set(re.findall(r'\bt\(\s*"([^"]+)"\s*[,)]', code))
    asked |= set(re.findall(r"\bt\('([^']+)'", code))
    assert asked <= keys
    families = tuple(re.findall(r"\bt\(\s*`([a-z-]+[-:])\$\{", code))
    families += tuple(re.findall(r'\bt\("([a-z-]+-)" ~', code))
    ends = tuple(re.findall(r'\bt\(shown ~ "(-[a-z]+)"', code))
    quoted = set(re.findall(r'["\']([a-z][a-z-]*)["\']', code))
    unused = {key for key in keys - quoted if not key.startswith(families)}
    assert {key for key in unused if not key.endswith(ends)} == set()


def test_only_one_module_turns_text_into_elements() -> None:
    for path in STATIC.rglob("*.js"):
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            allowed = path.name == "dom.js" and word == "innerHTML"
            assert allowed or word not in path.read_text(), f"{path.name}: {word}"
