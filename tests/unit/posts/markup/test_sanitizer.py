"""The sanitizer allows these elements, attributes and schemes, and nothing else."""

import re

import pytest

from services.posts.markup.footnote_ids import note_id, reference_id
from services.posts.markup.sanitizer import Sanitizer

ELEMENT_NAMES = """
    a abbr acronym address animate applet area article aside audio b base bdi bdo bgsound big blink
    blockquote body br button canvas caption center cite code col colgroup data datalist dd del
    details dfn dialog dir div dl dt em embed fieldset figcaption figure font footer form frame
    frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe image img input ins isindex kbd
    keygen label legend li link listing main map mark marquee math menu menuitem meta meter nav nobr
    noembed noframes noscript object ol optgroup option output p param picture plaintext portal pre
    progress q rp rt ruby s samp script search section select set slot small source span strike
    strong style sub summary sup svg table tbody td template textarea tfoot th thead time title tr
    track tt u ul use var video wbr x-any xmp
"""
ALLOWED_NAMES = """
    a blockquote br code em h1 h2 h3 h4 h5 h6 hr img input label li ol p pre s strong sup table
    tbody td th thead tr ul
"""
ATTRIBUTE_NAMES = """
    accesskey action align alt aria-label autofocus autoplay background bgcolor border charset class
    checked color colspan content contenteditable data-any dir draggable enterkeyhint for form
    formaction height hidden href http-equiv id inert is itemprop lang loading name nonce onclick
    onerror onload onmouseover part ping popover poster referrerpolicy rel role rowspan slot src
    srcdoc srcset start style tabindex target title translate type usemap value width xlink:href
    xmlns
"""
ALLOWED = set(ALLOWED_NAMES.split())
ALLOWED_ATTRIBUTES = {
    "a": {"href", "rel", "title"},
    "img": {"alt", "loading", "referrerpolicy", "src", "title"},
    "input": {"checked", "disabled", "type"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
}
WRAPPED = {
    "td": "<table><tbody><tr>{}</tr></tbody></table>",
    "th": "<table><tbody><tr>{}</tr></tbody></table>",
    "tr": "<table><tbody>{}</tbody></table>", "tbody": "<table>{}</table>",
    "thead": "<table>{}</table>", "li": "<ul>{}</ul>",
}  # fmt: skip
"""The elements around an element that a parser accepts only there."""


def clean(html: str) -> str:
    return Sanitizer().clean(html)


def attributes(element: str, html: str) -> dict[str, str]:
    """The attributes of the first such element."""
    tag = re.search(rf"<{element}((?: [^>]*)?)>", html)
    assert tag, html
    return dict(re.findall(r' ([a-z:-]+)="([^"]*)"', tag[1]))


@pytest.mark.parametrize("element", ELEMENT_NAMES.split())
def test_only_elements_of_text_pass(element: str) -> None:
    html = clean(WRAPPED.get(element, "{}").format(f"<{element}>a</{element}>"))
    assert (f"<{element}" in html) is (element in ALLOWED)


@pytest.mark.parametrize("element", sorted(ALLOWED))
def test_only_harmless_attributes_pass(element: str) -> None:
    written = " ".join(f'{name}="left"' for name in ATTRIBUTE_NAMES.split())
    html = clean(WRAPPED.get(element, "{}").format(f"<{element} {written}>a</{element}>"))
    assert set(attributes(element, html)) == ALLOWED_ATTRIBUTES.get(element, set())


@pytest.mark.parametrize("value", ["left", "language-python", "a language-b", "language-a b", ""])
def test_only_a_language_is_a_class_of_code(value: str) -> None:
    html = clean(f'<pre class="{value}"><code class="{value}">a</code></pre>')
    kept = ' class="language-python"' if value == "language-python" else ""
    assert html == f"<pre><code{kept}>a</code></pre>"


@pytest.mark.parametrize("kind", ["checkbox", "radio", "submit", "image", "file", "text", ""])
def test_every_input_is_a_checkbox_that_nobody_can_change(kind: str) -> None:
    html = clean(f'<input type="{kind}" checked="yes" name="b" value="c" autofocus>')
    assert html == '<input checked="" disabled="" type="checkbox">'
    assert clean("<input>") == '<input disabled="" type="checkbox">'


@pytest.mark.parametrize(
    ("element", "allowed"), [("ol", "footnotes"), ("li", "task"), ("p", None), ("ul", None)]
)
@pytest.mark.parametrize("value", ["footnotes", "task", "post", "footnotes task", "primary"])
def test_only_footnotes_and_tasks_have_classes(
    element: str, allowed: str | None, value: str
) -> None:
    found = attributes(element, clean(f'<{element} class="{value}">a</{element}>'))
    assert ("class" in found) is (value == allowed)


@pytest.mark.parametrize("element", ["a", "li"])
@pytest.mark.parametrize(
    "value",
    [note_id(1), note_id(12), reference_id(1, 1), reference_id(2, 34), "main", "post-1", "fn-1",
     note_id(1) + " ", "", reference_id(1, 1) + "-x", "fn-" + "1" * 19 + "-1"],
)  # fmt: skip
def test_only_footnotes_and_references_to_them_have_ids(element: str, value: str) -> None:
    found = attributes(element, clean(f'<{element} id="{value}">a</{element}>'))
    allowed = {
        "li": [note_id(1), note_id(12)],
        "a": [reference_id(1, 1), reference_id(2, 34)],
    }
    assert ("id" in found) is (value in allowed[element])


@pytest.mark.parametrize("value", ["left", "center", "right", "justify", "left; color: red"])
def test_only_an_alignment_is_an_align(value: str) -> None:
    html = clean(f'<table><tbody><tr><td align="{value}">a</td></tr></tbody></table>')
    assert ("align" in attributes("td", html)) is (value in {"left", "center", "right"})


@pytest.mark.parametrize(
    "scheme",
    ["http", "https", "mailto", "data", "javascript", "vbscript", "file", "ftp", "ws", "wss",
     "blob", "tel", "sms", "about", "view-source", "intent", "magnet", "jar", "x-any"],
)  # fmt: skip
def test_only_schemes_of_the_web_and_of_mail_pass(scheme: str) -> None:
    html = clean(f'<p><a href="{scheme}:b">a</a><img src="{scheme}:b"></p>')
    harmless = scheme in {"http", "https", "mailto"}
    assert ("href" in attributes("a", html)) is harmless
    assert ("src" in attributes("img", html)) is harmless


def test_links_and_pictures_tell_nobody_where_their_reader_comes_from() -> None:
    html = clean('<a href="/b" rel="opener" target="_blank">a</a><img src="/c" loading="eager">')
    assert attributes("a", html) == {"href": "/b", "rel": "nofollow ugc noopener"}
    assert attributes("img", html) == {
        "loading": "lazy", "referrerpolicy": "no-referrer", "src": "/c"
    }  # fmt: skip
