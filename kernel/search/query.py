"""Parses search queries: words, `"phrases"`, `or`, `-excluded`, `prefixes*`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kernel.search.folding import Kind, kind
from kernel.search.words import Word, cut, encode

SHORTEST_PREFIX = 3
"""The minimum length of a prefix; a shorter one is treated as a word."""

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))  # noqa: RUF001 - what phones type
_EXCLUDES = re.compile(r"-(?=[^\W_])")


@dataclass(frozen=True, slots=True)
class Term:
    """Consecutive words, or a prefix. `excluded`: the text must not have it."""

    words: tuple[str, ...]
    excluded: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Alternatives, each a list of terms that must all match."""

    alternatives: tuple[tuple[Term, ...], ...]

    @property
    def prefixes(self) -> Sequence[str]:
        """The prefixes in the query, each once."""
        return sorted({term.words[0] for term in self._terms() if term.prefix})

    def words(self, expansions: Mapping[str, Sequence[str]]) -> str:
        """All words that a matching text may have, encoded. `expansions` are the words for each
        prefix."""
        return encode(
            word
            for term in self._terms()
            if not term.excluded
            for word in (expansions[term.words[0]] if term.prefix else term.words)
        )

    def tsquery(self, expansions: Mapping[str, Sequence[str]]) -> str:
        """The query for `to_tsquery`; empty if nothing can match. A prefix becomes the alternatives
        of its expansions; without any, it matches nothing."""
        alternatives = (_all_of(terms, expansions) for terms in self.alternatives)
        return " | ".join(f"({terms})" for terms in alternatives if terms)

    def _terms(self) -> Iterator[Term]:
        for terms in self.alternatives:
            yield from terms


def parse(text: str) -> Query:
    """Parse a query. Never fails: parts without a meaning are ignored."""
    alternatives: list[list[Term]] = [[]]
    excluded = False
    for index, part in enumerate(text.translate(_QUOTES).split('"')):
        if index % 2:
            words = tuple(word.text for word in cut(part))
            if words:
                alternatives[-1].append(Term(words, excluded))
            continue
        for chunk in part.split():
            if chunk.casefold() == "or":
                alternatives.append([])
            else:
                alternatives[-1] += _terms(chunk)
        excluded = part.endswith("-") and (part == "-" or part[-2].isspace())
    return Query(tuple(tuple(terms) for terms in alternatives if terms))


def _terms(chunk: str) -> Iterator[Term]:
    excluded = _EXCLUDES.match(chunk) is not None
    found = list(_phrases(chunk))
    last = found[-1][-1] if found else None
    prefix = last is not None and chunk[last.end :].startswith("*") and _may_be_prefix(last)
    terms = [Term(tuple(word.text for word in phrase)) for phrase in found]
    if prefix:
        *terms, end = terms
        terms.append(Term(end.words, prefix=True))
    if excluded and len(found) > 1:  # `-node.js` excludes texts with these words next to each other
        yield Term(tuple(word.text for phrase in found for word in phrase), excluded=True)
        return
    for term in terms:
        yield Term(term.words, excluded, term.prefix)


def _phrases(chunk: str) -> Iterator[list[Word]]:
    """The words of a chunk, grouped if they overlap, as pairs of characters do."""
    phrase: list[Word] = []
    for word in cut(chunk):
        if phrase and word.start >= phrase[-1].end:
            yield phrase
            phrase = []
        phrase.append(word)
    if phrase:
        yield phrase


def _may_be_prefix(word: Word) -> bool:
    return len(word.text) >= SHORTEST_PREFIX and kind(word.text[0]) is Kind.LETTER


def _all_of(terms: Sequence[Term], expansions: Mapping[str, Sequence[str]]) -> str:
    """The query for all of these terms; empty if no text can have them."""
    parts = []
    for term in terms:
        one = _one_of(expansions[term.words[0]]) if term.prefix else _phrase(term.words)
        if one:
            parts.append(f"!({one})" if term.excluded else one)
        elif not term.excluded:
            return ""
    return " & ".join(parts)


def _one_of(words: Sequence[str]) -> str:
    return f"({' | '.join(encode([word]) for word in words)})" if words else ""


def _phrase(words: Sequence[str]) -> str:
    return f"({' <-> '.join(encode([word]) for word in words)})"
