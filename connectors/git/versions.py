"""What a tag's name says: whether it is a version, whether a pre-release, what its family is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

# Dotted numbers first, so that checkout-2-v1.4 is version 1.4; plain ones only after a v.
_DOTTED = re.compile(r"(?:^|(?<=[^0-9A-Za-z.]))[vV]?(\d+(?:\.\d+)+)(.*)$")
_PLAIN = re.compile(r"(?:^|(?<=[^0-9A-Za-z.]))(?:[vV](\d+)|(\d+)$)(.*)$")

_PEP_440 = re.compile(
    r"(?P<pre>[-_.]?(?:alpha|a|beta|b|preview|pre|c|rc)[-_.]?\d*)?"
    r"(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?"
    r"(?P<dev>[-_.]?dev[-_.]?\d*)?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
    re.IGNORECASE,
)
_SEMVER_NUMBERS = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}")
_SEMVER_SUFFIX = re.compile(r"-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*(?:\+[0-9A-Za-z.-]+)?")
# By SemVer's letter these are pre-releases; those who write them mean what runs in production.
_RELEASED = re.compile(
    r"-(?:final|release|ga|stable|lts|hotfix|patch|sp|p)[-.]?\d*(?:\+.*)?", re.IGNORECASE
)
# Neither grammar knows these where the numbers are not three: 1.2-SNAPSHOT, 2.0.M1.
_EARLY = re.compile(
    r"[-_.]?(?:alpha|beta|rc|cr|pre|preview|dev|snapshot|nightly|canary|milestone|m(?=[-_.]?\d))"
    r"(?:[-_.]?\d+)*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version found in the name of a tag.

    Attributes:
        prefix: What stands before the numbers, such as `v` or `checkout-v`.
        prerelease: Whether it announces a release rather than being one, by PEP 440 or SemVer.
    """

    prefix: str
    prerelease: bool


def version(tag: str) -> Version | None:
    """The version that a tag names, if it names one: `v1.2`, `checkout-v1.2-rc1`, `release/1.2`."""
    match = _DOTTED.search(tag)
    if match:
        numbers, suffix, start = match[1], match[2], match.start(1)
    else:
        match = _PLAIN.search(tag)
        if match is None:
            return None
        group = 1 if match[1] else 2
        numbers, suffix, start = match[group], match[3], match.start(group)
    return Version(tag[:start], _prerelease(numbers, suffix))


def _prerelease(numbers: str, suffix: str) -> bool:
    pep_440 = _PEP_440.fullmatch(suffix)
    if pep_440:
        return bool(pep_440["pre"] or pep_440["dev"])
    if _EARLY.fullmatch(suffix):
        return True
    is_semver = _SEMVER_NUMBERS.fullmatch(numbers) and _SEMVER_SUFFIX.fullmatch(suffix)
    return bool(is_semver) and not _RELEASED.fullmatch(suffix)


def family(tags: Iterable[str]) -> tuple[str, int] | None:
    """The pattern that fits the largest family of released versions, and how many it has.

    A family shares its prefix; names such as `2024` alone, without a dot or a v, are no versions.
    """
    names = list(tags)
    found = [(name, version(name)) for name in names]
    released = Counter(
        v.prefix
        for name, v in found
        if v and not v.prerelease and (v.prefix[-1:] in {"v", "V"} or "." in name)
    )
    if not released:
        return None
    prefix, count = min(released.items(), key=lambda item: (-item[1], item[0]))
    strangers = any(name.startswith(prefix) and not _same(v, prefix) for name, v in found)
    digits = "[0-9]" if strangers or not prefix else ""
    return f"{_literal(prefix)}{digits}*", count


def _same(found: Version | None, prefix: str) -> bool:
    return found is not None and found.prefix == prefix


def _literal(prefix: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", prefix)
