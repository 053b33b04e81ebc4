"""What `dora init` suggests in comments: each suggestion is a configuration that loads."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path

from dora import config, connector
from dora.rules import Rules

SUGGESTED = re.compile(r"# (\[|[a-z_]+ = )")


def uncommented(text: str) -> str:
    """The text with all that it suggests, but for the preset: it would change the rules below."""
    return "\n".join(
        line[2:] if SUGGESTED.match(line) and "preset" not in line else line
        for line in text.splitlines()
    )


def loaded(folder: Path, text: str) -> config.Config:
    (folder / "dora.toml").write_text(text, encoding="utf-8")
    return config.load(folder / "dora.toml")


def test_all_that_is_suggested_loads_at_once(tmp_path: Path) -> None:
    found = loaded(tmp_path, uncommented(config.starter([])))
    assert [source.kind for source in found.sources] == ["git", "files"]
    assert set(found.environments) == {"production", "staging"}
    assert found.services[0].name == "checkout"
    assert found.services[0].aliases == ("Checkout (prod)",)
    assert (found.teams[0].name, found.teams[0].parent) == ("payments", "commerce")
    assert len(found.goals) == 3
    assert not found.store_titles
    assert found.privacy.retention == "2y"
    calendar = found.calendar
    assert [len(kind) for kind in (calendar.windows, calendar.freezes, calendar.trains)] == [1] * 3
    assert calendar.windows[0].duration == timedelta(hours=4)


def test_the_rules_that_are_suggested_are_the_defaults_but_for_shorter_patterns(
    tmp_path: Path,
) -> None:
    found = loaded(tmp_path, uncommented(config.starter([]))).rules
    shorter = {"hotfix": Rules().hotfix, "bots": Rules().bots, "maturity": None}
    assert found.but(**shorter) == Rules()
    assert found.judged_after == Rules().judged_after


def test_a_preset_is_a_start_from_which_rules_are_changed(tmp_path: Path) -> None:
    text = config.starter([]).replace("# preset", "preset")
    assert loaded(tmp_path, text).rules == Rules.preset("gitlab")


def test_every_kind_that_is_suggested_takes_the_keys_beside_it() -> None:
    kinds = dict(re.findall(r"(?m)^#   (\w+): (.+)$", config.starter([])))
    assert set(kinds) == {"github", "gitlab", "jira", "pagerduty"}
    for kind, keys in kinds.items():
        given = tomllib.loads(f"source = {{ {keys} }}")["source"]
        options = connector.load(kind).Options.model_validate(given)  # refuses unknown keys
        assert options.model_fields_set


def test_no_line_is_too_long_to_be_read() -> None:
    assert max(map(len, config.starter([]).splitlines())) <= 100
