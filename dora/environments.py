"""Which kind of environment a name stands for: production, staging, test, development or other.

The provider's own tier decides where it says one; then the patterns of the configuration, in the
order they stand there; then the words of the name itself. There is no default: what nothing tells
is `other`, and so is what two words contradict about production.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import get_args

from dora import patterns
from dora.rules import EnvironmentKind

KINDS: tuple[EnvironmentKind, ...] = get_args(EnvironmentKind)
"""Every kind; `other` says that nothing tells."""

_TIERS: dict[str, str] = {**{kind: kind for kind in KINDS if kind != "other"}, "testing": "test"}
_PRODUCTION = frozenset({"prod", "production", "prd", "live"})
_WORDS: dict[str, str] = {
    **dict.fromkeys(("dev", "development", "develop", "devel", "local", "sandbox"), "development"),
    **dict.fromkeys(("review", "preview", "ephemeral"), "development"),
    **dict.fromkeys(("test", "testing", "tests", "tst", "qa", "ci", "e2e", "sit"), "test"),
    **dict.fromkeys(("integration", "perf", "loadtest"), "test"),
    **dict.fromkeys(("staging", "stage", "stg", "uat", "acceptance"), "staging"),
    **dict.fromkeys(("preprod", "preproduction", "preprd", "prelive", "prerelease"), "staging"),
    **dict.fromkeys(_PRODUCTION, "production"),
}
_BEFORE_PRODUCTION = frozenset({"pre"})
_NOT = frozenset({"non", "not", "no"})
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")


class Kinds:
    """Tells the kind of an environment.

    Args:
        configured: Wildcards by kind; a name that fits several goes to the first.
    """

    def __init__(self, configured: Mapping[str, Sequence[str]]) -> None:
        self._configured = [
            (kind, patterns.wildcard(listed)) for kind, listed in configured.items()
        ]

    def kind(self, environment: str, tier: str = "") -> str:
        """The kind of an environment, given its name and what its provider says of it."""
        stated = _TIERS.get(tier.strip().casefold())
        if stated:
            return stated
        for kind, pattern in self._configured:
            if pattern.match(environment):
                return kind
        return by_words(environment)


def by_words(environment: str) -> str:
    """The kind that the whole words of a name tell: `prod-eu` is production, `product` is not."""
    words = [word.casefold().rstrip("0123456789") for word in _BOUNDARY.split(environment)]
    words = [word for word in words if word]
    found = []
    for before, word in zip(["", *words], words, strict=False):
        if before in _NOT:
            return "other"
        if before in _BEFORE_PRODUCTION and word in {*_PRODUCTION, "release"}:
            found.append("staging")
        elif word in _WORDS:
            found.append(_WORDS[word])
    return next((kind for kind in found if kind != "production"), found[0] if found else "other")
