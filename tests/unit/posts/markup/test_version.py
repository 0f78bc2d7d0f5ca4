"""The version of the rules changes whenever the HTML of a text does."""

import hashlib

from services.posts.markup.bounds import Unrenderable
from services.posts.markup.renderer import Renderer
from services.posts.model import MARKUP
from tests.unit.posts.markup.hostile import CORPUS

DIGESTS = {1: "af0c2db12b0366bef7f44cf1aa61bb73ae941ce253cbd50c362466db8af13d09"}
"""SHA-256 of the HTML of `texts()`, by version of the rules."""

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


def texts() -> list[str]:
    """A document with everything that the rules know, pieces of hostile texts, and deep nesting."""
    return [
        DOCUMENT,
        *(text[:1_000] for text in CORPUS.values()),
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
