"""Templates crafted to hang or to fill the memory are refused after little work."""

from pathlib import Path

import pytest

from gateway.template.inputs import Choices, Source
from gateway.template.reader import RefusedTemplateError, load
from tests.unit.gateway.read_templates import body, read, refused, with_body
from tests.unit.gateway.support import TEMPLATE

LOOPS = "Transform: AWS::LanguageExtensions\n"
GROWS = "the template grows beyond all bounds when it is evaluated"


def test_template_of_five_megabytes_is_refused_without_parsing(tmp_path: Path) -> None:
    path = tmp_path / "t.yml"
    path.write_text(TEMPLATE + "# " + "ü" * 5_000_000)
    with pytest.raises(RefusedTemplateError) as caught:
        load([Source("t", path)], Choices())
    assert caught.value.lines == [f"{path}:1: a template has at most 1 MB: AWS refuses it"]


def test_template_that_is_not_text_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.yml"
    path.write_bytes(b"# one\n# \xff\n")
    with pytest.raises(RefusedTemplateError) as caught:
        load([Source("t", path)], Choices())
    assert caught.value.lines == [f"{path}:2: not UTF-8: invalid start byte"]


def test_a_template_of_nearly_a_megabyte_is_read() -> None:
    more = "".join(f"  R{n}: {{Type: AWS::X::Y, Properties: {{A: b}}}}\n" for n in range(5_000))
    assert len(more) > 200_000
    assert read(TEMPLATE + more).listeners[0].port == 8080
    assert read(TEMPLATE + "#" * 1_000_000).listeners[0].port == 8080


def test_alias_bomb_is_refused() -> None:
    bomb = "Metadata:\n  A0: &a0 [x, x]\n" + "".join(
        f"  A{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)
    )
    assert refused(bomb + TEMPLATE) == ["t.yml:3: CloudFormation has no YAML anchors and aliases"]


def test_repeatedly_doubled_text_is_refused() -> None:
    text = "x"
    for _ in range(40):
        text = f"{{'Fn::Sub': ['${{A}}${{A}}', {{A: {text}}}]}}"
    lines = refused(with_body(text))
    assert any(GROWS in line for line in lines), lines
    few = "x"
    for _ in range(3):
        few = f"{{'Fn::Sub': ['${{A}}${{A}}', {{A: {few}}}]}}"
    assert body(few) == "x" * 8


def test_exponential_loops_are_refused() -> None:
    names = "[" + ", ".join(f"a{n}" for n in range(40)) + "]"
    loop = "{X: {Type: AWS::X::Y}}"
    for level in range(5):
        loop = f"{{'Fn::ForEach::L{level}': [V{level}, {names}, {loop}]}}"
    lines = refused(LOOPS + TEMPLATE + f"  Fn::ForEach::All: [W, {names}, {loop}]\n")
    assert any("at most 5 times" in line for line in lines), lines
    wide = "[" + ", ".join(f"a{n}" for n in range(3000)) + "]"
    twice = f"[W, {wide}, {{'Fn::ForEach::B': [V, {wide}, {{'X${{W}}${{V}}': {{Type: T}}}}]}}]"
    lines = refused(LOOPS + TEMPLATE + f"  Fn::ForEach::All: {twice}\n")
    assert any(GROWS in line for line in lines), lines


def test_split_into_too_many_parts_is_refused() -> None:
    lines = refused(with_body(f"!Select [0, !Split [',', '{',' * 100_000}']]"))
    assert any(GROWS in line for line in lines), lines
    nested = "!Split [',', 'a,b']"
    assert body(f"!Select [1, {nested}]") == "b"


@pytest.mark.parametrize(
    "text",
    [
        TEMPLATE.replace("fixed}", "!Join ['', " * 300 + "[x]" + "]" * 300 + "}"),
        "Conditions:\n"
        + "".join(f"  C{n}: !Not [!Condition C{n + 1}]\n" for n in range(3_000))
        + "  C3000: !Equals [a, a]\n"
        + TEMPLATE.replace("  FixedRule:\n", "  FixedRule:\n    Condition: C0\n"),
    ],
    ids=["calls", "conditions"],
)
def test_too_deeply_nested_template_is_refused(text: str) -> None:
    assert any("nested too deep" in line for line in refused(text))


def test_catastrophic_pattern_is_checked_in_linear_time() -> None:
    head = "Parameters:\n  P: {Type: String, AllowedPattern: '(a|a)*(a|aa)*b$'}\n"
    [line] = refused(head + TEMPLATE, P="a" * 2_000)
    assert "does not match '(a|a)*(a|aa)*b$'" in line
    assert read(head + TEMPLATE, P="aaab").listeners[0].port == 8080


def test_exponential_number_of_nested_stacks_is_refused(tmp_path: Path) -> None:
    for level in range(20):
        (tmp_path / f"t{level}.yml").write_text(
            "Resources:\n"
            + "".join(
                f"  {name}: {{Type: AWS::CloudFormation::Stack, "
                f"Properties: {{TemplateURL: t{level + 1}.yml}}}}\n"
                for name in "AB"
            )
        )
    (tmp_path / "t20.yml").write_text(TEMPLATE)
    with pytest.raises(RefusedTemplateError) as caught:
        load([Source("t", tmp_path / "t0.yml")], Choices())
    assert any("there are more than 200 stacks" in line for line in caught.value.lines)
