"""Reads the transforms of a rule.

Limits: RewriteConfig of the Elastic Load Balancing API reference, version 2015-12-01.
"""

import re
from typing import Final

from gateway.routing.regular_expressions import InvalidPatternError, compile_pattern
from gateway.routing.transforms import NO_TRANSFORMS, Rewrite, Transforms
from gateway.template.resources.properties import Properties

_CONFIGS: Final = {
    "host-header-rewrite": "HostHeaderRewriteConfig",
    "url-rewrite": "UrlRewriteConfig",
}
_MAX_LENGTH: Final = 1024
_REPLACEMENT: Final = re.compile(r"[!-~]{0,1024}")


def read_transforms(rule: Properties) -> Transforms:
    """The transforms in property ``Transforms``: at most one of each type."""
    found: dict[str, Rewrite | None] = {}
    for section in rule.sections("Transforms"):
        kind = section.text("Type") or ""
        config_name = _CONFIGS.get(kind)
        if config_name is None:
            section.not_here(section.line_of("Type"), f"transform {kind!r} is not implemented")
            continue
        if kind in found:
            section.problem(section.line, f"a rule has at most one transform of type {kind!r}")
        config = section.section(config_name)
        if config is None:
            section.problem(section.line, f"transform {kind!r} needs {config_name}")
            continue
        found[kind] = _rewrite(config)
        config.close()
        section.close()
    if not found:
        return NO_TRANSFORMS
    return Transforms(host=found.get("host-header-rewrite"), url=found.get("url-rewrite"))


def _rewrite(config: Properties) -> Rewrite | None:
    rewrites = config.sections("Rewrites")
    if len(rewrites) != 1:
        config.problem(config.line_of("Rewrites"), "a transform has exactly one rewrite")
        return None
    [rewrite] = rewrites
    pattern = rewrite.text("Regex") or ""
    replacement = rewrite.text("Replace") or ""
    rewrite.close()
    if not _REPLACEMENT.fullmatch(replacement):
        rewrite.problem(
            rewrite.line_of("Replace"),
            "Replace has at most 1024 printable ASCII characters, and no spaces",
        )
        return None
    if not 1 <= len(pattern) <= _MAX_LENGTH:
        rewrite.problem(rewrite.line, f"Regex has 1 to {_MAX_LENGTH} characters")
        return None
    if re.search(r"\s", pattern):
        rewrite.problem(rewrite.line_of("Regex"), "Regex has no white space: \\s stands for it")
        return None
    try:
        return Rewrite(pattern, compile_pattern(pattern), replacement)
    except InvalidPatternError as error:
        rewrite.problem(rewrite.line_of("Regex"), f"regular expression {pattern!r}: {error}")
        return None
