"""The version of the rules changes whenever the HTML of a text does."""

import hashlib

from services.posts.markup.bounds import Unrenderable
from services.posts.markup.renderer import Renderer
from services.posts.model import MARKUP
from tests.unit.posts.markup.hostile import CORPUS

DIGESTS = {
    1: "6e085e5ef2c93e2b32b8f18b558f9bb2763a0beccd31f7ea2f78c767c217a9bf",
    2: "176ff810445680c10a51c5148c48e1b8cc67b37db38ed2d7e430b938dcf86bf9",
    3: "63b248147a5ccc8548e28170271e907995f421b8fe870741c26e2117a9321e17",
}
"""SHA-256 of the HTML of `texts()`, by version of the rules."""

HOSTILE = (
    "reference to a long address", "wide table with short rows", "square table", "many tables",
    "schemes in angles", "addresses in parentheses", "short addresses", "long names",
    "mail addresses", "nested brackets", "nested pictures", "nested links", "unfinished titles",
    "quotations that go on", "items", "emphasis and words", "backticks of every length",
    "headings", "entities", "pictures",
)  # fmt: skip
"""A text that is added to the corpus later would change the digest, too."""

DOCUMENT = """
# Heading *with* emphasis

Some **strong**, ~~struck~~ `code`, a [link](https://a.example "b"), <https://c.example>,
https://d.example/e_f_g, www.h.example, i@j.example, file.md, &copy; and <b>no tags</b>.\\
![picture](https://k.example/l.png "m") ![own](/n) [reference] ![reference]

> quotation
> > in a quotation

1. one
   - two

3) three

| a | b | c |
|:--|:-:|--:|
| d | e | f |

```python
print("g")
```

    indented

---

[reference]: https://o.example 'title'
"""

TASKS_AND_NOTES = """
- [ ] to do [^a]
- [x] done *already*
- [ ]

> 1. [X] in a quotation[^a][^b]

[^a]: a note
[^b]: one with

    two paragraphs
"""


def texts() -> list[str]:
    """A document with everything that the rules know, pieces of hostile texts, and deep nesting."""
    return [
        DOCUMENT,
        TASKS_AND_NOTES,
        *(CORPUS[name][:1_000] for name in HOSTILE),
        *(f"{marker * depth}deep" for marker in ("> ", "- ") for depth in (9, 10, 11, 25)),
    ]


def test_rules_that_make_other_html_have_another_number() -> None:
    renderer = Renderer("https://board.example")
    digest = hashlib.sha256()
    for text in texts():
        try:
            html = renderer.to_html(text)
        except Unrenderable as refusal:
            html = str(refusal)
        digest.update(html.encode() + b"\0")
    assert digest.hexdigest() == DIGESTS[MARKUP]
