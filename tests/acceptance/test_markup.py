"""Markdown is rendered to HTML that is safe for its readers."""

from html.parser import HTMLParser

import pytest

from tests.people import Person

pytestmark = pytest.mark.one_deployment

TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "s", "code", "pre",
    "blockquote", "ul", "ol", "li", "a", "img", "table", "thead", "tbody", "tr", "th", "td", "sup",
    "label", "input",
}  # fmt: skip
ATTRIBUTES = {
    "href", "title", "rel", "src", "alt", "loading", "referrerpolicy", "start", "class",
    "id", "type", "disabled", "checked",
}  # fmt: skip

TRICKS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<div style='position:fixed'>x</div>",
    "<iframe src='https://evil.example'></iframe>",
    "<form action=/api/posts><button>x</button></form>",
    "<base href=//evil.example>",
    "<!--><script>alert(1)</script>-->",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\u0000script:alert(1)>)".replace("\0", ""),
    "[x](vbscript:msgbox)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](javascript:alert(1))",
    "[x](ssh://evil.example)",
    "[x](magnet:?xt=urn:btih:0)",
    "[x](file:///etc/passwd)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "[x][1]\n\n[1]: javascript:alert(1)",
    '[x](https://e.example "\\" onclick=\\"alert(1)")',
    '![x](https://e.example/"onerror="alert(1))',
    "`<script>alert(1)</script>`",
    "```x onclick=alert(1)\n<script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "| <script> | b |\n|---|---|\n| <img src=x onerror=y> | [x](javascript:1) |",
    "> [<img src=x onerror=y>](javascript:1)",
]


class Tags(HTMLParser):
    """Every tag of a text with its attributes, as a browser would find them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


async def html_of(person: Person, text: str) -> str:
    thread = (await person.start_thread())["id"]
    html: str = (await person.write(thread, text))["html"]
    return html


async def test_no_text_produces_a_forbidden_tag_attribute_or_address(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    for trick in TRICKS:
        html = (await person.write(thread, trick))["html"]
        for tag, attributes in Tags(html).found:
            assert tag in TAGS, trick
            assert set(attributes) <= ATTRIBUTES, f"{trick}: {html}"
            for address in (attributes.get("href"), attributes.get("src")):
                schemes = ("https:", "http:", "mailto:", "//", "/", None)
                assert address is None or address.startswith(schemes[:-1]), f"{trick}: {html}"


async def test_html_in_a_post_is_shown_as_text(person: Person) -> None:
    html = await html_of(person, "<b onclick=x>bold</b> & <script>alert(1)</script>")
    assert html == (
        "<p>&lt;b onclick=x&gt;bold&lt;/b&gt; &amp; &lt;script&gt;alert(1)&lt;/script&gt;</p>\n"
    )


@pytest.mark.parametrize(
    "text",
    ["[a](https://a.example)", "https://a.example", "<https://a.example>", "<mailto:a@b.example>"],
)
async def test_every_link_in_a_post_is_nofollow(person: Person, text: str) -> None:
    links = [found for tag, found in Tags(await html_of(person, text)).found if tag == "a"]
    assert [link["rel"] for link in links] == ["nofollow ugc noopener"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** _b_ ~~c~~ `d`", "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>\n"),
        ("# a", "<h1>a</h1>\n"),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>\n'),
        (
            "- [ ] a\n- [x] b",
            '<ul>\n<li class="task"><label><input disabled="" type="checkbox"> a</label></li>\n'
            '<li class="task"><label><input checked="" disabled="" type="checkbox"> b</label></li>'
            "\n</ul>\n",
        ),
        ("```python\na < b\n```", '<pre><code class="language-python">a &lt; b\n</code></pre>\n'),
        (
            "|a|b|\n|-|-|\n|c|d|",
            "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n"
            "<tbody>\n<tr>\n<td>c</td>\n<td>d</td>\n</tr>\n</tbody>\n</table>\n",
        ),
    ],
)
async def test_markdown_is_rendered(person: Person, text: str, html: str) -> None:
    assert await html_of(person, text) == html


async def test_footnotes_have_ids_of_their_post(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    ids = []
    for text in (
        "One[^a] two[^b] again[^a]\n\n[^a]: A note\n[^b]: Another",
        "a[^1]\n\n[^1]: b",
    ) * 2:
        post = await person.write(thread, text)
        tags = Tags(post["html"]).found
        links = [attributes["href"] for tag, attributes in tags if tag == "a"]
        named = [attributes["id"] for _, attributes in tags if "id" in attributes]
        assert {link.removeprefix("#") for link in links} == set(named)
        assert all(name.split("-")[1] == str(post["id"]) for name in named)
        ids += named
    assert len(ids) == len(set(ids)) == 2 * (5 + 2)


async def test_edited_post_has_its_own_footnotes(person: Person) -> None:
    thread = (await person.start_thread())["id"]
    post = await person.write(thread, "a")
    path = f"/api/posts/{post['id']}"
    version = (await person.http.get(path)).headers["etag"]
    text = {"text": "a[^1]\n\n[^1]: b"}
    edited = await person.http.patch(path, json=text, headers={"If-Match": version})
    assert f'id="fn-{post["id"]}-1"' in edited.json()["html"]


async def test_image_in_a_post_is_lazy_and_sends_no_referrer(person: Person) -> None:
    html = await html_of(person, "![a cat](https://cats.example/1.png)")
    [image] = [found for tag, found in Tags(html).found if tag == "img"]
    assert image == {
        "src": "https://cats.example/1.png",
        "alt": "a cat",
        "loading": "lazy",
        "referrerpolicy": "no-referrer",
    }


@pytest.mark.parametrize("text", ["[" * 32_000, "> " * 16_000, "*_" * 16_000, "`" * 32_000])
async def test_no_text_takes_long_to_render(person: Person, text: str) -> None:
    """The slowest takes half a second; the client waits for 15, because the machine may be busy."""
    thread = (await person.start_thread())["id"]
    answer = await person.http.post(
        "/api/posts", json={"thread": thread, "text": text + "."[: 32_000 - len(text)]}
    )
    assert answer.status_code == 201
