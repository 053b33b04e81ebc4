"""Changes of flags by webhooks and custom CDEvents, and manual changes by Sleuth's call.

The payloads are written from the fields that the products document: an entry of LaunchDarkly's
audit log, an event of Unleash, the parameters of Sleuth's `register_manual_deploy`, and the custom
events of the CDEvents specification (`dev.cdeventsx.<tool>-<subject>.<predicate>.<version>`).
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.cdevents import CDEvents, CDEventsOptions
from connectors.testing import Reading, read
from dora.records import Deployment, FlagChange, ManualChange
from tests.connectors.events import deployed, event, uuid, write

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)  # 1772366400 s

LAUNCHDARKLY: dict[str, Any] = {
    "_links": {"site": {"href": "/shop/production/features/new-basket", "type": "text/html"}},
    "_id": "57c0a8e29969090743529965",
    "_accountId": "57c0a8e29969090743529900",
    "date": 1772366400000,
    "accesses": [{"action": "updateOn", "resource": "proj/shop:env/production:flag/new-basket"}],
    "kind": "flag",
    "name": "New basket",
    "description": "* Turned the flag on\n",
    "member": {"_id": "1", "email": "ada@example.org", "firstName": "Ada"},
    "titleVerb": "turned on the flag",
    "currentVersion": {
        "key": "new-basket",
        "temporary": True,
        "archived": False,
        "environments": {"production": {"on": True}, "test": {"on": False}},
    },
}
DONE = "0a8f6b360c44"  # printf "raised the memory limit" | sha256sum
UNLEASH: dict[str, Any] = {
    "id": 842,
    "type": "feature-environment-enabled",
    "createdBy": "ada@example.org",
    "createdByUserId": 1,
    "createdAt": "2026-03-01T12:00:00.000Z",
    "data": None,
    "preData": None,
    "tags": [],
    "featureName": "new-basket",
    "project": "shop",
    "environment": "production",
}
SLEUTH: dict[str, Any] = {
    "name": "raised the memory limit",
    "description": "from 1 to 2 GB, as Ada asked for",
    "environment": "production",
    "tags": "#urgent, by-night",
    "author": "ada@example.org",
    "email": "ada@example.org",
    "api_key": "s3cret",
    "received_at": "2026-03-01T12:00:00Z",
}


def flag(predicate: str, number: int = 1, *, tool: str = "flagger", **content: Any) -> Any:
    """A custom event about the flag `new-basket` in production."""
    said = {"environment": {"id": "production"}, "service": {"id": "service/shop"}, **content}
    made = event("flag.changed", "new-basket", said, id=uuid(number))
    made["context"]["type"] = f"dev.cdeventsx.{tool}-flag.{predicate}.0.1.0"
    return made


def source(folder: Path, **options: Any) -> CDEvents:
    return CDEvents("calls", CDEventsOptions(path=Path("events"), **options), base=folder)


def told(folder: Path, *calls: Any, **options: Any) -> Reading:
    write(folder, calls)
    return read(source(folder, **options), Deployment)


def only(reading: Reading) -> Any:
    assert reading.rejected == []
    (record,) = reading.records
    return record


def launchdarkly(*accesses: tuple[str, str], **more: Any) -> dict[str, Any]:
    listed = [{"action": action, "resource": resource} for action, resource in accesses]
    return {**LAUNCHDARKLY, "accesses": listed, **more}


EXPECTED = FlagChange("", "new-basket", "production", NOON, 1.0, service="shop")


@pytest.mark.parametrize("forced", [False, True])
def test_launchdarkly(tmp_path: Path, forced: bool) -> None:
    options = {"shape": "launchdarkly"} if forced else {}
    found = only(told(tmp_path, LAUNCHDARKLY, **options))
    assert found == FlagChange(
        "57c0a8e29969090743529965", "new-basket", "production", NOON, 1.0,
        temporary=True, service="shop",
    )  # fmt: skip


@pytest.mark.parametrize("forced", [False, True])
def test_unleash(tmp_path: Path, forced: bool) -> None:
    options = {"shape": "unleash"} if forced else {}
    found = only(told(tmp_path, UNLEASH, **options))
    assert found == FlagChange("842", "new-basket", "production", NOON, 1.0, service="shop")


@pytest.mark.parametrize("forced", [False, True])
def test_a_manual_change_as_sleuth_takes_it(tmp_path: Path, forced: bool) -> None:
    options = {"shape": "sleuth"} if forced else {}
    assert only(told(tmp_path, SLEUTH, service="checkout", **options)) == ManualChange(
        f"checkout/production/{DONE}@2026-03-01T12:00:00Z",
        "production",
        NOON,
        name="raised the memory limit",
        service="checkout",
        labels="urgent,by-night",
    )


def test_a_custom_event(tmp_path: Path) -> None:
    found = only(told(tmp_path, flag("changed", share=0.2, temporary=True, url="https://f/1")))
    assert found == FlagChange(
        uuid(1), "new-basket", "production", NOON, 0.2,
        temporary=True, service="shop", url="https://f/1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("predicate", "share", "action"),
    [
        ("enabled", 1, "changed"),
        ("disabled", 0, "changed"),
        ("created", 0, "created"),
        ("removed", 0, "removed"),
        ("deleted", 0, "removed"),
        ("archived", 0, "removed"),
    ],
)
def test_what_happens_to_a_flag_in_custom_events(
    tmp_path: Path, predicate: str, share: float, action: str
) -> None:
    found = only(told(tmp_path, flag(predicate)))
    assert (found.share, found.action) == (share, action)


def test_custom_events_name_environments_as_others_do_and_may_say_more(tmp_path: Path) -> None:
    """The environment is told later by its name, and its own data goes before all else."""
    switched = flag("enabled", environment={"id": "e-1"})
    switched["customData"] = {"dora": {"service": "checkout", "share": 0.5, "removed": True}}
    first = told(tmp_path, switched)
    assert only(first).environment == "e-1"
    named = event("environment.created", "e-1", {"name": "production"}, id=uuid(50))
    write(tmp_path, [named], "events/b.jsonl")
    second = read(source(tmp_path), Deployment, first.cursor)
    (found,) = Reading([*first.given, *second.given]).facts().values()
    assert isinstance(found, FlagChange)
    assert (found.environment, found.service, found.share) == ("production", "checkout", 0.5)


def test_a_custom_event_without_an_environment_is_where_it_is_configured(tmp_path: Path) -> None:
    found = only(told(tmp_path, flag("enabled", environment=None), environment="eu"))
    assert found.environment == "eu"


EVERY = [LAUNCHDARKLY, UNLEASH, SLEUTH, flag("changed", share=0.2)]


@pytest.mark.parametrize("call", EVERY)
def test_what_comes_twice_is_one_change(tmp_path: Path, call: Any) -> None:
    first = told(tmp_path, call, call)
    only(first)
    write(tmp_path, [call], "events/b.jsonl")
    second = read(source(tmp_path), Deployment, first.cursor)
    assert len(Reading([*first.given, *second.given]).facts()) == 1


def test_in_whatever_order_and_over_however_many_files_the_facts_are_the_same(
    tmp_path: Path,
) -> None:
    calls = [*EVERY, UNLEASH | {"id": 843, "type": "feature-environment-disabled"}, deployed(9)]
    whole = {repr(one) for one in told(tmp_path / "whole", *calls).records}
    assert len(whole) == len(calls)
    random.Random(7).shuffle(calls)
    for number, call in enumerate(calls):
        write(tmp_path / "dealt", [call, calls[0]], f"events/{number}.jsonl")
    found = read(source(tmp_path / "dealt"), Deployment)
    assert {repr(one) for one in found.records} == whole


def test_neither_a_key_nor_a_person_nor_a_description_is_kept(tmp_path: Path) -> None:
    everything = repr(told(tmp_path, *EVERY).records)
    assert not any(word in everything for word in ("ada", "Ada", "s3cret", "2 GB"))


@pytest.mark.parametrize(
    ("access", "more", "share", "action"),
    [
        ("updateOn", {"currentVersion": None}, 1, "changed"),
        ("updateOn", {"currentVersion": None, "titleVerb": "turned off the flag"}, 0, "changed"),
        # several changes at once: the words are in the description
        ("updateOn", {"currentVersion": None, "titleVerb": "updated the flag"}, 1, "changed"),
        # what it is now goes before the words
        ("updateOn", {"currentVersion": {"environments": {"production": {"on": False}}}}, 0,
         "changed"),
        ("createFlag", {}, 0, "created"),
        ("deleteFlag", {}, 0, "removed"),
        ("updateGlobalArchived", {"currentVersion": {"archived": True}}, 0, "removed"),
        ("updateGlobalArchived", {}, 0, "created"),  # not archived any more
        ("updateGlobalArchived", {"currentVersion": {}, "titleVerb": "archived the flag"}, 0,
         "removed"),
        ("updateGlobalArchived", {"currentVersion": {}, "titleVerb": "restored the flag"}, 0,
         "created"),
    ],
)  # fmt: skip
def test_what_launchdarkly_says_of_a_flag(
    tmp_path: Path, access: str, more: Any, share: float, action: str
) -> None:
    call = launchdarkly((access, "proj/shop:env/production:flag/new-basket;ui,temporary"), **more)
    found = only(told(tmp_path, call))
    assert (found.flag, found.share, found.action) == ("new-basket", share, action)


def test_launchdarkly_switches_a_flag_in_several_environments_at_once(tmp_path: Path) -> None:
    places = ("production", "test")
    call = launchdarkly(*(("updateOn", f"proj/default:env/{one}:flag/f") for one in places))
    reading = told(tmp_path, call, call)
    found = [one for one in reading.records if isinstance(one, FlagChange)]
    assert [(one.environment, one.share, one.service) for one in found] == [
        ("production", 1, None), ("test", 0, None),
    ]  # fmt: skip
    assert len({one.id for one in found}) == 2


@pytest.mark.parametrize("resource", ["proj/shop:env/*:flag/f", "proj/shop:flag/f"])
def test_what_is_removed_everywhere_is_removed_where_it_is_configured(
    tmp_path: Path, resource: str
) -> None:
    reading = told(tmp_path, launchdarkly(("deleteFlag", resource)), environment="live")
    assert (only(reading).environment, reading.notes) == ("live", [])


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (launchdarkly(("updateOn", "proj/shop:env/production:flag/f"), currentVersion={},
                      titleVerb="updated the flag", description=""),
         "it does not say whether the flag was turned on or off"),
        (launchdarkly(("updateGlobalArchived", "proj/shop:env/*:flag/f"), currentVersion={},
                      titleVerb=None),
         "it does not say whether the flag was archived or restored"),
        (launchdarkly(("updateOn", "proj/shop:env/production")), "accesses name no flag"),
        (LAUNCHDARKLY | {"date": "soon"}, "changed_at is no time"),
        (LAUNCHDARKLY | {"date": None}, "it does not say when"),
        (UNLEASH | {"createdAt": {}}, "it does not say when"),
        (UNLEASH | {"id": 844, "featureName": ["f"]}, "flag is missing"),
        (flag("changed"), "subject.content.share is missing"),
        (flag("changed", share=20), "share is no share from 0 to 1"),
        (flag("changed", share=[0.2]), "share is no share from 0 to 1"),
        (flag("enabled", temporary="perhaps"), "temporary is neither true nor false"),
        ({k: v for k, v in SLEUTH.items() if k != "received_at"}, "may add `received_at`"),
        ({"name": "only a name"}, "no call that is known"),
        (SLEUTH | {"cluster": "eu"}, "no call that is known"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_set_aside_with_the_reason(
    tmp_path: Path, call: Any, complaint: str
) -> None:
    reading = told(tmp_path, call, UNLEASH)
    (rejected,) = reading.rejected
    assert complaint in rejected.reason
    assert [type(one) for one in reading.records] == [FlagChange]


@pytest.mark.parametrize(
    ("type_", "share", "action"),
    [
        ("feature-created", 0, "created"),
        ("feature-revived", 0, "created"),
        ("feature-environment-disabled", 0, "changed"),
        ("feature-archived", 0, "removed"),
    ],
)
def test_what_unleash_says_of_a_flag(tmp_path: Path, type_: str, share: float, action: str) -> None:
    found = only(told(tmp_path, UNLEASH | {"type": type_, "environment": None}))
    assert (found.share, found.action, found.environment) == (share, action, "production")


@pytest.mark.parametrize(
    ("kind", "temporary"), [("release", True), ("kill-switch", False), ("permission", False)]
)
def test_what_unleash_calls_a_flag_tells_whether_it_is_to_go(
    tmp_path: Path, kind: str, temporary: bool
) -> None:
    call = UNLEASH | {"type": "feature-created", "data": {"type": kind}, "project": "default"}
    found = only(told(tmp_path, call))
    assert (found.temporary, found.service) == (temporary, None)


def test_what_says_nothing_of_a_flag_is_counted(tmp_path: Path) -> None:
    reading = told(
        tmp_path,
        UNLEASH | {"type": "feature-tagged"},
        LAUNCHDARKLY | {"kind": "member"},
        launchdarkly(("updateName", "proj/shop:env/*:flag/f")),
        LAUNCHDARKLY | {"accesses": "none"},
        flag("renamed"),
    )
    assert (reading.records, reading.rejected) == ([], [])
    (said,) = reading.notes
    listed = "flag renamed (1), launchdarkly flag (2), launchdarkly member (1)"
    assert said == f"Events that are not read: {listed}, unleash feature-tagged (1)."


def test_a_manual_change_without_an_environment_is_in_production_and_told(tmp_path: Path) -> None:
    call = {"name": "mended a row", "date": "2026-03-01T12:00:00Z"}
    reading = told(tmp_path, call)
    assert only(reading).environment == "production"
    assert reading.notes == [
        "Manual changes that name no environment: 1; taken to be in production."
    ]


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    call=st.sampled_from([LAUNCHDARKLY, UNLEASH, SLEUTH, flag("changed", share=0.2)]),
    change=st.data(),
)
def test_whatever_stands_in_a_field_the_line_is_read_counted_or_set_aside(
    tmp_path_factory: pytest.TempPathFactory, call: Any, change: st.DataObject
) -> None:
    held = call.get("subject", call)
    key = change.draw(st.sampled_from(sorted(held)))
    spoilt = held | {key: change.draw(_ANYTHING)}
    whole = call | {"subject": spoilt} if "subject" in call else spoilt
    folder = tmp_path_factory.mktemp("hostile")
    reading = told(folder, whole, deployed(9))
    assert any(isinstance(one, Deployment) for one in reading.records)
    assert len(reading.records) + len(reading.rejected) + len(reading.notes) >= 2
