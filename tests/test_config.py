from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, field_validator

from dora import config, connector
from dora.config import lines as toml_lines
from dora.config.starter import value_text
from dora.connector import Cursor, Finding, Item
from dora.errors import ConfigError, ConnectorMissing
from dora.goals import Goal
from dora.records import Deployment, Record
from dora.rules import Hotfix, Rules


class ShipOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: Path
    deployments: list[str] = []
    token_env: str | None = None
    columns: dict[str, str] = {}

    @field_validator("deployments")
    @classmethod
    def _rules(cls, value: list[str]) -> list[str]:
        if any(":" not in rule for rule in value):
            raise ValueError("a rule looks like tags:v*")
        return value


class Ships:
    """A connector of a third party, as the configuration sees one."""

    kind: ClassVar[str] = "ships"
    provides: ClassVar[tuple[type[Record], ...]] = (Deployment,)
    Options: ClassVar[type[BaseModel]] = ShipOptions
    name: str

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        self.name = name

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        yield from ()

    def check(self) -> Iterator[Finding]:
        yield from ()


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(kind: str) -> type[Ships]:
        if kind != "ships":
            raise ConnectorMissing(f"There is no connector {kind!r}.", hint="Installed are: ships.")
        return Ships

    monkeypatch.setattr(connector, "load", load)
    monkeypatch.setattr(connector, "installed", lambda: {"ships": None})


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "dora.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def faults(folder: Path, text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        config.load(written(folder, text))
    return caught.value.faults


FULL = """\
store = "data/dora.duckdb"
timezone = "Europe/Berlin"
identities = "plain"
as_of = "newest"

[[sources]]
name = "shop"
kind = "ships"
path = "../shop"
deployments = ["tags:v*"]
columns = { id = "Key" }

[[sources]]
name = "pager"
kind = "ships"
path = "x"
covers = ["check*"]

[environments]
production = ["prod*", "live"]
staging = "stage"

[[services]]
name = "checkout"
team = "payments"
repositories = ["github.com/acme/shop"]
paths = ["services/checkout/**"]
deployments = ["deploy-checkout*"]
environments = ["shop-*"]
aliases = ["Checkout (prod)", "pay"]

[[services]]
name = "cart"
[[services.teams]]
name = "web"
until = 2026-01-01
[[services.teams]]
name = "payments"
from = 2026-01-01

[[teams]]
name = "payments"
parent = "commerce"
[[teams]]
name = "commerce"

[rules]
change = "pull_request"
failure_window = "72h"
maturity = "3d"
hotfix = { labels = ["urgent"] }
bots = ["*[bot]*"]
"""


def test_a_configuration_says_what_stands_in_it(tmp_path: Path) -> None:
    path = written(tmp_path, FULL)
    loaded = config.load(path)
    assert (loaded.path, loaded.base) == (path, tmp_path)
    assert loaded.store == tmp_path / "data/dora.duckdb"
    assert (loaded.timezone, loaded.identities, loaded.as_of) == (
        "Europe/Berlin",
        "plain",
        "newest",
    )
    shop, pager = loaded.sources
    assert (shop.name, shop.kind, shop.covers) == ("shop", "ships", ())
    assert shop.options == ShipOptions(
        path=Path("../shop"), deployments=["tags:v*"], columns={"id": "Key"}
    )
    assert pager.covers == ("check*",)
    assert loaded.environments == {"production": ("prod*", "live"), "staging": ("stage",)}
    checkout, cart = loaded.services
    assert (checkout.name, checkout.team) == ("checkout", "payments")
    assert checkout.repositories == ("github.com/acme/shop",)
    assert checkout.paths == ("services/checkout/**",)
    assert checkout.deployments == ("deploy-checkout*",)
    assert checkout.environments == ("shop-*",)
    assert checkout.aliases == ("Checkout (prod)", "pay")
    assert loaded.teams == (config.Team("payments", "commerce"), config.Team("commerce"))
    assert [(m.team, m.from_day, m.until_day) for m in checkout.teams] == [
        ("payments", date.min, date.max)
    ]
    assert cart.team == "payments"
    assert [(m.team, m.from_day, m.until_day) for m in cart.teams] == [
        ("web", date.min, date(2026, 1, 1)),
        ("payments", date(2026, 1, 1), date.max),
    ]
    assert loaded.rules == Rules(
        change="pull_request",
        failure_window=timedelta(hours=72),
        maturity=timedelta(days=3),
        hotfix=Hotfix(labels=("urgent",)),
        bots=("*[bot]*",),
    )
    assert not loaded.bare


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            '[[services]]\nname = "a"\n[[services]]\nname = "b"\naliases = ["A"]\n',
            "line 5: services[2].aliases[1]: 'A' is a name of services[1] already",
        ),
        (
            '[[services]]\nname = "a"\naliases = "x"\n[[services]]\nname = "b"\naliases = ["X"]\n',
            "line 6: services[2].aliases[1]: 'X' is a name of services[1] already",
        ),
        (
            '[[teams]]\nname = "a"\nparent = "b"\n[[teams]]\nname = "b"\nparent = "a"\n',
            "line 3: teams[1].parent: 'a' would be a part of itself",
        ),
        (
            '[[teams]]\nname = "a"\nparent = "a"\n',
            "line 3: teams[1].parent: 'a' would be a part of itself",
        ),
        (
            '[[teams]]\nname = "a"\n[[teams]]\nname = "a"\n',
            "line 4: teams[2].name: 'a' is the name of teams[1] already",
        ),
        (
            '[[teams]]\nname = "a"\nparnet = "b"\n',
            "line 3: teams[1].parnet: there is no key 'parnet' here; did you mean 'parent'?",
        ),
        ('[teams]\nname = "a"\n', "each entry begins with a line of its own"),
    ],
)
def test_faults_of_names_and_teams_are_said(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(written(tmp_path, text))
    assert [line for line in caught.value.faults if fault in line]
    assert len(caught.value.faults) == 1


def test_rules_may_begin_from_a_preset_in_whatever_order(tmp_path: Path) -> None:
    text = '[rules]\nfailure_window = "2h"\npreset = "gitlab"\n'
    loaded = config.load(written(tmp_path, text))
    assert loaded.rules == Rules.preset("gitlab").but(failure_window="2h")


def test_a_preset_that_is_none_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(written(tmp_path, '[rules]\npreset = "gitlob"\n'))
    (fault,) = caught.value.faults
    assert fault == "line 2: rules.preset: There is no preset 'gitlob'. Did you mean 'gitlab'?"


def test_an_empty_file_is_a_configuration_of_defaults(tmp_path: Path) -> None:
    loaded = config.load(written(tmp_path, ""))
    assert loaded.store == tmp_path / "dora.duckdb"
    assert (loaded.timezone, loaded.identities, loaded.as_of) == ("UTC", "pseudonyms", "sync")
    assert loaded.rules == Rules()


def test_an_absolute_store_stays_where_it_is(tmp_path: Path) -> None:
    assert config.load(written(tmp_path, 'store = "/srv/d.duckdb"')).store == Path("/srv/d.duckdb")


def test_a_store_alone_is_enough(tmp_path: Path) -> None:
    bare = config.for_store(tmp_path / "my.duckdb")
    assert (bare.path, bare.base, bare.store) == (None, tmp_path, tmp_path / "my.duckdb")
    assert bare.bare


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    loaded = config.for_store(tmp_path / "my.duckdb")
    with pytest.raises(FrozenInstanceError):
        loaded.timezone = "UTC"


def test_every_fault_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
stoer = "dora.duckdb"
timezone = "Europe/Berlln"
identities = "masked"

[[sources]]
name = "shop"
kind = "ships"
paht = "../shop"
deployments = ["v*"]

[[sources]]
name = "shop"
kind = "shisp"

[environments]
producton = ["prod*"]
staging = [1]

[[services]]
nmae = "checkout"
paths = ["!docs"]

[[services]]
name = "cart"
paths = ["!docs", "src"]
teams = [{ name = "web", from = 2026-02-01, until = 2026-01-01 }]

[rules]
change = "story"
failure_windw = "72h"
maturity = 3
hotfix = { titles = ["^fix(?!ed)"] }
"""
    assert faults(tmp_path, text) == (
        "line 1: stoer: there is no key 'stoer' here; did you mean 'store'?",
        (
            "line 2: timezone: There is no time zone 'Europe/Berlln'. Did you mean Europe/Berlin? "
            "Use an IANA name, such as UTC, Europe/Berlin or America/New_York."
        ),
        "line 3: identities: should be 'pseudonyms' or 'plain'",
        "line 5: sources[1].path: it is missing",
        "line 8: sources[1].paht: there is no key 'paht' here; did you mean 'path'?",
        "line 9: sources[1].deployments: a rule looks like tags:v*",
        "line 12: sources[2].name: 'shop' is the name of sources[1] already",
        (
            "line 13: sources[2].kind: There is no connector 'shisp'. Did you mean 'ships'? "
            "Installed are: ships."
        ),
        (
            "line 16: environments.producton: there is no kind of environment 'producton'; "
            "did you mean 'production'?"
        ),
        'line 17: environments.staging: it takes names or wildcards, such as ["prod*", "live"]',
        "line 19: services[1].name: it is missing",
        "line 20: services[1].nmae: there is no key 'nmae' here; did you mean 'name'?",
        "line 25: services[2].paths[1]: '!docs': a path cannot be taken out again",
        (
            "line 26: services[2].teams[1]: 'web' owns it for no day: "
            "it is from 2026-02-01 until 2026-01-01"
        ),
        "line 29: rules.change: 'story' is none of commit, pull_request",
        (
            "line 30: rules.failure_windw: there is no rule 'failure_windw'; "
            "did you mean 'failure_window'?"
        ),
        "line 31: rules.maturity: it is a length of time such as 72h, not 3",
        (
            "line 32: rules.hotfix.titles: '^fix(?!ed)' cannot be searched for: "
            "it looks ahead or behind"
        ),
    )


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a = \n", "line 1: Invalid value"),
        ('store = "x"\n\n[rules\n', "line 3: Expected ']'"),
        ('store = "x"\nstore = "y"\n', "line 2: Cannot overwrite"),
        ('store = "x"\n[rules]\nbots = [\n"a"\n', "line 4:"),
        (b'store = "x"\n# caf\xe9\n', "line 2: byte 0xe9 is no UTF-8"),
    ],
)
def test_text_that_is_no_toml_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, start: str
) -> None:
    (fault,) = faults(tmp_path, text)
    assert fault.startswith(start)


@pytest.mark.parametrize("key", ["token", "api_token", "password", "client_secret", "api-key"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    text = f'[[sources]]\nname = "a"\nkind = "ships"\npath = "x"\n{key} = "hunter2"\n'
    (fault,) = faults(tmp_path, text)
    assert fault.startswith(f"line 5: sources[1].{key}: a secret may not stand in this file")
    assert f"{key}_env" in fault
    assert "hunter2" not in fault


def test_a_password_in_an_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    text = '[[sources]]\nname = "a"\nkind = "ships"\npath = "https://me:hunter2@git.example/x"\n'
    listed = faults(tmp_path, text)
    assert any("the address holds a password" in fault for fault in listed)
    assert "hunter2" not in str(listed)


def test_the_name_of_a_variable_is_no_secret(tmp_path: Path) -> None:
    text = '[[sources]]\nname = "a"\nkind = "ships"\npath = "x"\ntoken_env = "SHIPS_TOKEN"\n'
    loaded = config.load(written(tmp_path, text))
    assert loaded.sources[0].options.token_env == "SHIPS_TOKEN"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            '[sources]\nname = "a"\n',
            (
                "line 1: sources: each entry begins with a line of its own, in two brackets: "
                "[[sources]]"
            ),
        ),
        ("sources = [1]\n", "line 1: sources[1]: should be a valid dictionary"),
        ("environments = 5\n", "line 1: environments: should be a valid dictionary"),
        ("rules = 5\n", "line 1: rules: should be a valid dictionary"),
        ('[rules]\nhotfix_window = "none"\n', "line 2: rules.hotfix_window: it needs a length"),
        ('[rules]\nbaseline = "yes"\n', "line 2: rules.baseline: it is true or false, not 'yes'"),
        ('[rules]\nhotfix = { title = "x" }\n', "line 2: rules.hotfix: title: a hotfix has"),
        ('[[services]]\nname = ""\n', "line 2: services[1].name: string should have at least 1"),
        ('[[services]]\nname = "a"\nteam = "b"\nteams = [{ name = "c" }]\n', "line 3: services[1]"),
        ("store = 5\n", "line 1: store: should be a valid string"),
    ],
)
def test_each_fault_says_what_is_wrong(tmp_path: Path, text: str, fault: str) -> None:
    listed = faults(tmp_path, text)
    assert listed[0].startswith(fault)


def test_a_file_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no configuration") as caught:
        config.load(tmp_path / "dora.toml")
    assert "dora init" in caught.value.hint
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path)


def test_a_byte_order_mark_and_other_line_ends_are_read_over(tmp_path: Path) -> None:
    loaded = config.load(written(tmp_path, b'\xef\xbb\xbfstore = "x"\r\ntimezone = "UTC"\r\n'))
    assert loaded.store == tmp_path / "x"


def test_a_hotfix_label_alone_need_not_be_a_list(tmp_path: Path) -> None:
    loaded = config.load(written(tmp_path, '[rules.hotfix]\nlabels = "urgent"\n'))
    assert loaded.rules.hotfix.labels == ("urgent",)


def test_keys_are_found_on_their_lines() -> None:
    text = '''\
# a comment with [brackets]
a = 1
"quoted.key" = "x # no comment"
b.c = [
  1, # ]
  "]",
]
text = """
[not.a.table]
k = 1
"""
[t.u]   # after
x = { y = 1, z = "}" }

[[s]]
n = 1
[s.sub]
k = 2
[[s]]
n = 2
[[s.deep]]
k = 3
[[s.deep]]
k = 4
'''
    assert toml_lines.lines(text) == {
        ("a",): 2,
        ("quoted.key",): 3,
        ("b",): 4,
        ("b", "c"): 4,
        ("text",): 8,
        ("t", "u"): 12,
        ("t", "u", "x"): 13,
        ("s", 0): 15,
        ("s", 0, "n"): 16,
        ("s", 0, "sub"): 17,
        ("s", 0, "sub", "k"): 18,
        ("s", 1): 19,
        ("s", 1, "n"): 20,
        ("s", 1, "deep", 0): 21,
        ("s", 1, "deep", 0, "k"): 22,
        ("s", 1, "deep", 1): 23,
        ("s", 1, "deep", 1, "k"): 24,
    }


def test_the_starter_without_sources_is_a_configuration_of_defaults(tmp_path: Path) -> None:
    loaded = config.load(written(tmp_path, config.starter([])))
    assert loaded.sources == ()
    assert loaded.rules == Rules()
    assert loaded.environments == {}


def test_the_starter_gives_back_what_it_was_given(tmp_path: Path) -> None:
    text = config.starter(
        [
            {"name": 'a "b"', "kind": "ships", "path": Path("../x"), "deployments": ["tags:v*"]},
            {"name": "c", "kind": "ships", "path": "y", "token_env": None, "covers": ["*"]},
        ],
        store="s.duckdb",
        timezone="Africa/Cairo",
        identities="plain",
        as_of="newest",
        environments={"production": ["live"]},
        services=[{"name": "checkout", "team": "payments", "paths": ["a/**"]}],
        rules={"change": "pull_request", "failure_window": "72h", "hotfix": {"labels": ["x"]}},
    )
    loaded = config.load(written(tmp_path, text))
    assert loaded.store == tmp_path / "s.duckdb"
    assert (loaded.timezone, loaded.identities, loaded.as_of) == ("Africa/Cairo", "plain", "newest")
    first, second = loaded.sources
    assert first.name == 'a "b"'
    assert first.options == ShipOptions(path=Path("../x"), deployments=["tags:v*"])
    assert second.covers == ("*",)
    assert loaded.environments == {"production": ("live",)}
    assert loaded.services[0].paths == ("a/**",)
    assert loaded.rules == Rules(
        change="pull_request",
        failure_window=timedelta(hours=72),
        hotfix=Hotfix(labels=("x",)),
    )


@given(
    st.recursive(
        st.text(st.characters(codec="utf-8")) | st.integers(-(2**63), 2**63 - 1) | st.booleans(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_any_value_is_written_as_toml_reads_it(value: object) -> None:
    import tomllib

    assert tomllib.loads(f"a = {value_text(value)}") == {"a": value}


def test_importing_the_package_does_not_import_pydantic() -> None:
    code = "import dora, sys; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_goals_are_of_everything_of_a_service_or_of_a_team(tmp_path: Path) -> None:
    text = """
[goals]
lead_time = "2d"
change-fail-rate = "10%"
[goals.services."github.com/acme/shop"]
deployment_frequency = "1/day"
[goals.teams.payments]
time_to_restore = "4h"
"""
    assert config.load(written(tmp_path, text)).goals == (
        Goal("lead_time", 172_800.0),
        Goal("change_failure_rate", 0.1),
        Goal("deployment_frequency", 7.0, service="github.com/acme/shop"),
        Goal("time_to_restore", 14_400.0, team="payments"),
    )


def test_every_fault_of_the_goals_is_named_with_its_line(tmp_path: Path) -> None:
    text = """
[goals]
lead_tim = "2d"
lead_time = "soon"
rework_rate = "5%"
deployment_rework_rate = "6%"
teams = "payments"
[goals.services]
shop = "2d"
[goals.services.blog]
change_failure_rate = 0.1
"""
    assert faults(tmp_path, text) == (
        (
            "line 3: goals.lead_tim: there is no metric 'lead_tim' to have a goal; "
            "did you mean 'lead_time'?"
        ),
        """line 4: goals.lead_time: 'soon' is no goal for it; write it like "2d\"""",
        (
            "line 6: goals.deployment_rework_rate: it is the same as rework_rate, which has a goal"
            " already"
        ),
        "line 7: goals.teams: it takes a table for each team: [goals.teams.NAME]",
        "line 9: goals.services.shop: it is a table of goals: [goals.services.shop]",
        (
            "line 11: goals.services.blog.change_failure_rate: 0.1 is no goal for it; write it"
            ' like "10%"'
        ),
    )
