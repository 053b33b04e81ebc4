from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora import patterns


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*[bot]*", "dependabot[bot] <x@users.noreply.github.com>", True),
        ("*[bot]*", "bot", False),
        ("renovate*", "Renovate Bot", True),
        ("renovate*", "my renovate", False),
        ("*-bot <*", "release-bot <bot@example.com>", True),
        ("prod", "production", False),
        ("PROD", "prod", True),
        ("a.b", "axb", False),
        ("a?b", "axb", False),
        ("*", "", True),
        ("*", "two\nlines", True),
        ("", "", True),
        ("", "x", False),
        ("github.com/acme/*", "github.com/acme/shop", True),
    ],
)
def test_a_wildcard_fits_whole_texts(pattern: str, text: str, fits: bool) -> None:
    compiled = patterns.wildcard([pattern])
    assert bool(compiled.match(text)) is fits
    assert bool(compiled.search(text)) is fits


def test_any_of_several_wildcards_will_do_and_none_fits_nothing() -> None:
    assert patterns.wildcard(["a*", "b*"]).match("bx")
    assert not patterns.wildcard([]).match("")


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("services/checkout/**", "services/checkout/main.py", True),
        ("services/checkout/**", "services/checkout/a/b.py", True),
        ("services/checkout/**", "services/checkout2/main.py", False),
        ("services/checkout", "services/checkout/a/b.py", True),
        ("services/checkout/", "services/checkout/a.py", True),
        ("services/checkout", "services/checkout", True),
        ("services/checkout", "old/services/checkout", False),
        ("/services/checkout", "services/checkout/a.py", True),
        ("./lib", "lib/a.py", True),
        ("services/*/api", "services/cart/api/x.py", True),
        ("services/*/api", "services/a/b/api/x.py", False),
        ("**/Dockerfile", "Dockerfile", True),
        ("**/Dockerfile", "a/b/Dockerfile", True),
        ("**/Dockerfile", "a/b/MyDockerfile", False),
        ("**/**/x", "a/x", True),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/**/z", "a/bz", False),
        ("*.toml", "a.toml", True),
        ("*.toml", "a/b.toml", False),
        ("a?.py", "ab.py", True),
        ("a?.py", "a/.py", False),
        ("[ab].py", "a.py", False),
        ("[ab].py", "[ab].py", True),
        ("Src/**", "src/a", False),
        ("**", "any/thing", True),
        (".", "any/thing", True),
        ("docs/été", "docs/été/a b\tc", True),
    ],
)
def test_a_path_glob_is_seen_from_the_top_of_the_repository(
    glob: str, path: str, fits: bool
) -> None:
    assert bool(patterns.paths([glob]).match(path)) is fits


def test_no_path_globs_fit_nothing() -> None:
    assert not patterns.paths([]).match("a")


def in_python(text: str, expression: str) -> bool:
    return re.search(expression, text, re.IGNORECASE) is not None


def in_duckdb(text: str, expression: str) -> bool:
    query = "select regexp_matches(?, ?, 'i')"
    found = duckdb.connect().execute(query, [text, expression]).fetchall()
    return bool(found[0][0])


LABELS = patterns.any_label(["hotfix", "sev.1", "needs review", "c++"])
BRANCHES = patterns.any_wildcard(["hotfix/*", "*-urgent", "a#b c"])
TITLES = patterns.any_regex([r"^hotfix\b", r"\[urgent\]"])


@pytest.mark.parametrize("finds", [in_python, in_duckdb])
@pytest.mark.parametrize(
    ("expression", "text", "found"),
    [
        (LABELS, "hotfix", True),
        (LABELS, "bug,Hotfix,ui", True),
        (LABELS, "bug, hotfix", True),
        (LABELS, "no-hotfix", False),
        (LABELS, "hotfixes,bug", False),
        (LABELS, "sevX1", False),
        (LABELS, "ui,SEV.1", True),
        (LABELS, "needs review,x", True),
        (LABELS, "c++", True),
        (LABELS, "", False),
        (BRANCHES, "hotfix/payments", True),
        (BRANCHES, "HOTFIX/x", True),
        (BRANCHES, "my-hotfix/x", False),
        (BRANCHES, "fix-urgent", True),
        (BRANCHES, "fix-urgent2", False),
        (BRANCHES, "a#b c", True),
        (TITLES, "Hotfix: pay", True),
        (TITLES, "hotfixes", False),
        (TITLES, "a [URGENT] matter", True),
        (patterns.NEVER, "", False),
        (patterns.NEVER, "a^", False),
        (patterns.NEVER, "a", False),
        (patterns.NEVER, "a\n", False),
        (patterns.any_label([]), "a,b", False),
        (patterns.any_wildcard([]), "", False),
        (patterns.any_regex([]), "", False),
    ],
)
def test_expressions_for_sql_find_the_same_everywhere(
    finds: object, expression: str, text: str, found: bool
) -> None:
    assert callable(finds)
    assert finds(text, expression) is found


CONNECTION = duckdb.connect()


@given(st.text(st.characters(codec="ascii", exclude_characters="\x00*"), min_size=1))
def test_every_label_and_branch_can_be_asked_for_in_both(name: str) -> None:
    expression = patterns.any_wildcard([name])
    query = "select regexp_matches(?, ?, 'i')"
    assert CONNECTION.execute(query, [name, expression]).fetchall() == [(True,)]
    assert in_python(name, expression)


@pytest.mark.parametrize(
    "expression",
    [
        "^fix(?!ed)",
        "(?<=a)b",
        r"(a)\1",
        "(?P<x>a)(?P=x)",
        "(?>a)b",
        "a*+b",
        "(",
        r"a\Z",
        "(?i)fix",
        r"\u00e9",
    ],
)
def test_an_expression_that_some_database_refuses_is_a_fault(expression: str) -> None:
    assert patterns.fault(expression)


@pytest.mark.parametrize(
    "expression",
    [r"^hotfix\b", r"\[bug\]", "[(?=]", "a+?b", "(?P<x>a)|b", "a{2,3}", r"\\1", "(?:a)", r"\d\."],
)
def test_an_expression_that_both_know_is_none(expression: str) -> None:
    assert patterns.fault(expression) is None
    in_duckdb("x", expression)
