"""Texts that cost a Markdown renderer far more time, or become far more HTML, than their length
suggests."""

from collections.abc import Mapping

from hypothesis import strategies as st

LONGEST = 32_000

FRAGMENTS = (
    "[", "]", "(", ")", "![", "](", "<", ">", "*", "**", "_", "~~", "`", "```", "\n", "\n\n", "> ",
    "- ", "1. ", "#", "|", "|-", "-|", "\\", "&", "&amp;", "&#", "http://", "https://a.b/", "://",
    "//", "www.", "a.co", "a@b.co", "@", "mailto:", ".", "-", "---", "===", '"', "'", " ", "  ",
    "\t", "    ", "a", "é", "😀", "/", "?", ":", ",", ";", "[a]: ", "[a]", '[a]: x "', "<a", "xn--",
    "![a](http://b.c)", "\u3000", "0", "[]", "[a][", "\x0b", "a-",
    "[^a]", "[^a]: ", "[^", "- [ ] ", "[x] ",
)  # fmt: skip


def repeated(fragment: str, before: str = "") -> str:
    """The fragment repeated, up to the longest allowed text."""
    return (before + fragment * (LONGEST // len(fragment) + 1))[:LONGEST]


CORPUS: Mapping[str, str] = {
    "reference to a long address": repeated("[a]", f"[a]: http://x/{'y' * 4_000}\n\n"),
    "reference to a long title": repeated("[a]", f'[a]: /x "{"t" * 8_000}"\n\n'),
    "picture of a long address": repeated("![a]", f"[a]: http://x.de/{'y' * 4_000}\n\n"),
    "wide table with short rows": repeated("|\n", f"|{'a|' * 1_000}\n|{'-|' * 1_000}\n"),
    "square table": repeated("a\n", f"{'a|' * 180}\n{'-|' * 180}\n"),
    "narrow table of empty rows": repeated("|\n", "a|\n-|\n"),
    "many tables": repeated("|a|\n|-|\n"),
    "schemes": repeated("://"),
    "schemes in angles": repeated("<http://"),
    "unknown schemes": repeated("a://b"),
    "addresses in addresses": repeated("http://a.b/-"),
    "addresses in parentheses": repeated("http://a.b/("),
    "short addresses": repeated("a.co "),
    "long names": repeated("," + "a-" * 31),
    "mail addresses": repeated("a@b.co "),
    "unclosed brackets": repeated("["),
    "unclosed pictures": repeated("!["),
    "nested brackets": "[" * 16_000 + "]" * 16_000,
    "nested pictures": "![" * 8_000 + "](b)" * 4_000,
    "nested links": (("[" * 19 + "a" + "](b)" * 19) * 400)[:LONGEST],
    "unclosed destinations": repeated("![a](b![c"),
    "definitions": repeated("[a]: x\n"),
    "unfinished titles": repeated('[a]: "\n'),
    "unfinished labels": repeated("[a\n"),
    "quotations": repeated("> "),
    "quotations that go on": repeated("a\n", "> " * 19 + "a\n"),
    "lists": repeated("- "),
    "empty items": repeated("-\n", "a\n"),
    "items": repeated("- a\n"),
    "emphasis": repeated("*_"),
    "emphasis and words": repeated("*a_b**c__d~~"),
    "backticks of every length": "".join("`" * n + " " for n in range(250)),
    "backticks": repeated("`"),
    "headings": repeated("# a\n"),
    "lines": repeated("a\n"),
    "entities": repeated("&amp;"),
    "backslashes": repeated("\\"),
    "pictures": repeated("![](http://b.c)"),
    "tasks": repeated("- [ ] a\n"),
    "nested tasks": repeated("- ", "- [x] a\n") + " [ ] a",
    "references to a note": repeated("[^a]", "[^a]: b\n\n"),
    "references to a note in itself": repeated("[^a]", "[^a]: "),
    "unclosed references to notes": repeated("[^", "[^a]: b\n\n"),
    "long labels of notes": repeated("[^" + "a" * 99, "[^a]: b\n\n"),
    "notes": repeated("[^a]: b\n"),
    "notes in notes": repeated("[^a]: "),
    "notes in quotations": repeated("> [^a]: b\n> c[^a]\n\n"),
    "different notes": "".join(f"[^{n}]\n\n[^{n}]: {n}\n\n" for n in range(1_400))[:LONGEST],
    "unclosed notes": repeated("[^a\n"),
}


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A few patterns, each repeated up to the longest allowed text."""
    pattern = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=8).map("".join)
    times = st.sampled_from([1, 3, 20, 100, 500, 1_500])
    parts = draw(st.lists(st.tuples(pattern, times), min_size=1, max_size=4))
    last, _ = parts[-1]
    return repeated(last, "".join(part * count for part, count in parts))
