"""What people type into a search field, as PostgreSQL can read it."""

import re

_NO_OPERATOR = re.compile(r'-(?!"?\w)|(?<=\S)-')


def readable(words: str) -> str:
    """The words for `websearch_to_tsquery`, with a hyphen only where it excludes something.

    That function calls nothing an error, and yet fails for 32 hyphens with no word between
    ("tsquery stack too small").
    """
    return _NO_OPERATOR.sub(" ", words)
