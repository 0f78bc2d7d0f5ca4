"""The HTML of Markdown texts."""

import pytest

from services.posts.markup.bounds import Unrenderable
from services.posts.markup.footnote_ids import note_id, reference_id
from services.posts.markup.renderer import Renderer

ORIGIN = "https://board.example:8443"
REL = 'rel="nofollow ugc noopener"'


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(ORIGIN)


@pytest.mark.parametrize("marker", ["> ", "- ", "1. "])
@pytest.mark.parametrize("depth", [5, 9, 10, 11, 19, 20, 21, 60])
def test_text_at_any_depth_is_shown(renderer: Renderer, marker: str, depth: int) -> None:
    assert "deep" in renderer.to_html(f"{marker * depth}deep")


def test_quotations_below_the_deepest_level_are_text_in_it(renderer: Renderer) -> None:
    html = renderer.to_html("> " * 12 + "deep")
    assert html.count("<blockquote>") == 10
    assert "<p>&gt; &gt; deep</p>" in html


def test_a_quotation_beside_a_deep_one_is_a_quotation(renderer: Renderer) -> None:
    html = renderer.to_html("> " * 12 + "deep\n\nbetween\n\n> beside")
    assert html.endswith("<p>between</p>\n<blockquote>\n<p>beside</p>\n</blockquote>\n")


def test_line_breaks_are_shown_as_they_were_typed(renderer: Renderer) -> None:
    text = "one\ntwo\n\n> three\n> four\n\n- five\n  six\n\n`code\nagain`"
    html = renderer.to_html(text)
    for lines in ("one<br>\ntwo", "three<br>\nfour", "five<br>\nsix", "<code>code again</code>"):
        assert lines in html
    assert html.count("<br>") == 3


def test_table_cells_are_aligned(renderer: Renderer) -> None:
    html = renderer.to_html("|a|b|c|d|\n|:-|:-:|-:|-|\n|e|f|g|h|")
    assert '<th align="left">a</th>\n<th align="center">b</th>\n<th align="right">c</th>' in html
    assert '<td align="right">g</td>\n<td>h</td>' in html


@pytest.mark.parametrize(
    "name", ["file.md", "README.md#install", "main.rs:12", "a/setup.py", "x.sh"]
)
def test_file_name_is_no_link(renderer: Renderer, name: str) -> None:
    assert renderer.to_html(name) == f"<p>{name}</p>\n"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("example.org", "http://example.org"),
        ("example.org/file.md", "http://example.org/file.md"),
        ("www.example.md", "http://www.example.md"),
        ("http://file.md", "http://file.md"),
        ("//example.org/a", "//example.org/a"),
        ("https://a.example/b_c_d", "https://a.example/b_c_d"),
        ("https://a.example/é", "https://a.example/%C3%A9"),
        ("<https://a.example>", "https://a.example"),
        ("ab@example.org", "mailto:ab@example.org"),
        ("[a](/threads/1)", "/threads/1"),
        ("[a]\n\n[a]: https://b.example", "https://b.example"),
    ],
)
def test_address_is_a_link(renderer: Renderer, text: str, address: str) -> None:
    assert f'<a href="{address}" {REL}>' in renderer.to_html(text)


@pytest.mark.parametrize(
    "text",
    [
        "[a](ssh://b.example)", "[a](magnet:x)", "[a]( SSH://b.example)", "<ssh://b.example>",
        "ftp://b.example", "[a]\n\n[a]: ssh://b.example", "[a](javascript:b)", "[a](http://[b)",
        "[a](http://b:99999/)", "![a](ssh://b.example)",
    ],
)  # fmt: skip
def test_address_that_links_may_not_have_stays_text(renderer: Renderer, text: str) -> None:
    html = renderer.to_html(text)
    assert "<a" not in html
    assert "<img" not in html


@pytest.mark.parametrize(
    "address",
    [
        "/api/users", "api/users", "?a", "#a", "//board.example/a", "//board.example:1/a",
        "http://board.example/a", "https://board.example:8443/a", "HTTPS://BOARD.EXAMPLE/a",
        "https://board.example./a", "https://x@board.example/a", "https://x:y@board.example/a",
        "https://%62oard.example/a", "https://\uff42oard.example/a", "https:/board.example/a",
        "https:board.example/a", "https:///board.example/a", "https:\\\\board.example/a",
        "/\\board.example/a", "http://localhost/a", "//localhost:8080/a", "http://a.localhost/",
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f.1/",
        "http://0.0.0.0/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["![a]({})", "![a](<{}>)", "![a]\n\n[a]: {}", "[![a]({})](b)"])
def test_picture_of_the_boards_own_host_is_not_shown(
    renderer: Renderer, form: str, address: str
) -> None:
    assert "<img" not in renderer.to_html(form.format(address))


def test_picture_that_is_not_shown_is_a_link(renderer: Renderer) -> None:
    assert renderer.to_html("![a *b*](/c) ![](/d)") == (
        f'<p><a href="/c" {REL}>a b</a> <a href="/d" {REL}>/d</a></p>\n'
    )


def test_picture_that_is_not_shown_is_text_in_a_link(renderer: Renderer) -> None:
    assert renderer.to_html("[![a](/b)](/c)") == f'<p><a href="/c" {REL}>a</a></p>\n'


@pytest.mark.parametrize(
    "address",
    ["https://a.example/b.png", "//a.example/b", "http://93.184.216.34/", "http://a.example:80?b"],
)
def test_picture_of_another_host_is_shown(renderer: Renderer, address: str) -> None:
    assert f'src="{address}"' in renderer.to_html(f"![a]({address})")


@pytest.mark.parametrize(
    "text",
    ["[a]: https://b.example", "#", "-", ">", "\n", "[](https://b.example)",
     "&#8203;", "&#x2800; &#x3164;", "![]()", "**\u200b**", "| |\n|-|"],
)  # fmt: skip
def test_text_that_shows_nothing_is_refused(renderer: Renderer, text: str) -> None:
    with pytest.raises(Unrenderable, match="shows nothing"):
        renderer.to_html(text)


@pytest.mark.parametrize("text", ["***", "![](https://a.example/b)", "`a`", "```\na", "."])
def test_text_that_shows_something_is_rendered(renderer: Renderer, text: str) -> None:
    assert renderer.to_html(text)


def test_attributes_come_in_alphabetical_order(renderer: Renderer) -> None:
    assert renderer.to_html('![a > b="c"](https://d.example "e f=\'g\'")') == (
        '<p><img alt="a &gt; b=&quot;c&quot;" loading="lazy" referrerpolicy="no-referrer" '
        'src="https://d.example" title="e f=\'g\'"></p>\n'
    )


@pytest.mark.parametrize("marker", ["-", "*", "+", "1."])
@pytest.mark.parametrize(("box", "checked"), [("[ ]", False), ("[x]", True), ("[X]", True)])
def test_item_that_begins_with_brackets_is_a_task(
    renderer: Renderer, marker: str, box: str, checked: bool
) -> None:
    html = renderer.to_html(f"{marker} {box} buy *milk*")
    state = 'checked="" ' if checked else ""
    checkbox = f'<input {state}disabled="" type="checkbox">'
    assert f'<li class="task"><label>{checkbox} buy <em>milk</em></label></li>' in html


@pytest.mark.parametrize(
    "text",
    ["[ ] a", "- [ ]", "- [x](https://b.example)", "- \\[ ] a", "- [ ]a", "- a [ ] b", "- [y] a",
     "- a\n\n  [ ] b", "- # [ ] a", "> [ ] a", "- [x] a\n\n[x]: /b"],
)  # fmt: skip
def test_other_brackets_are_no_task(renderer: Renderer, text: str) -> None:
    assert "<input" not in renderer.to_html(text)


def test_tasks_of_loose_and_nested_lists_have_checkboxes(renderer: Renderer) -> None:
    html = renderer.to_html("- [ ] a\n\n- [x] b\n  - [ ] c\n    > - [x] d")
    assert html.count('<li class="task">') == html.count("<input") == html.count("</label>") == 4


def link(element: str, address: str, name: str = "") -> str:
    """The beginning of a link of a footnote."""
    named = f' id="{name}"' if name else ""
    return f'<{element} href="#{address}"{named} {REL}>'


def test_references_lead_to_their_footnote_and_back(renderer: Renderer) -> None:
    html = renderer.to_html("a[^x] b[^y] c[^x]\n\n[^y]: *two*\n[^x]: one\n\nend")
    first, second, third = (
        link("a", note_id(note), reference_id(note, count)) + f"[{note}]</a>"
        for note, count in ((1, 1), (2, 1), (1, 2))
    )
    back = "↩\ufe0e</a>"
    assert html == (
        f"<p>a<sup>{first}</sup> b<sup>{second}</sup> c<sup>{third}</sup></p>\n<p>end</p>\n"
        f'<ol class="footnotes">\n<li id="{note_id(1)}">\n<p>one '
        f"{link('a', reference_id(1, 1))}{back} {link('a', reference_id(1, 2))}{back}</p>\n</li>\n"
        f'<li id="{note_id(2)}">\n<p><em>two</em> {link("a", reference_id(2, 1))}{back}</p>\n'
        "</li>\n</ol>\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "> q[^a]\n>\n> [^a]: note", "- l[^a]\n\n  [^a]: note", "a[^a]\n\n[^a]:\n    note",
        "a[^a]\n[^a]: note", "a[^a]\n\n[^a]: gone\n[^a]: note", "| a[^a] |\n|---|\n\n[^a]: note",
        "a[^a] [^b]\n\n[^b]: b\n[^a]: note", "# a[^a]\n[^a]: note",
    ],
)  # fmt: skip
def test_footnote_can_be_written_anywhere(renderer: Renderer, text: str) -> None:
    html = renderer.to_html(text)
    assert f'<li id="{note_id(1)}">\n<p>note <a' in html
    assert "gone" not in html


@pytest.mark.parametrize(
    "text",
    ["a[^x]", "a[^]\n\n[^]: b", "`[^a]`\n\n[^a]: b", "a[^a b]\n\n[^a b]: c", "a\\[^a]\n\n[^a]: b",
     "![b [^a]](https://c.example)\n\n[^a]: d", f"a[^{'b' * 101}]\n\n[^{'b' * 101}]: c"],
)  # fmt: skip
def test_text_without_a_reference_has_no_footnotes(renderer: Renderer, text: str) -> None:
    html = renderer.to_html(text)
    assert "<sup>" not in html
    assert "footnotes" not in html


def test_footnote_within_a_footnote_does_not_break_the_list(renderer: Renderer) -> None:
    html = renderer.to_html("a[^a]\n\n[^a]: - b\n    - [^c]: d\n    - e\n\nf[^c]")
    assert html.count("<li") == html.count("</li>") == 4
    assert html.count("<ol") == html.count("</ol>") == 1


def test_text_that_shows_only_an_unused_footnote_is_refused(renderer: Renderer) -> None:
    with pytest.raises(Unrenderable, match="shows nothing"):
        renderer.to_html("[^a]: b")
