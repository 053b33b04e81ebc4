from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version
from pydantic import ValidationError

from connectors.git import Git
from connectors.git.deployments import in_order
from connectors.git.versions import family, version
from connectors.testing import Reading, key_of, read
from dora.connector import load
from dora.errors import RepositoryError, SourceError
from dora.records import Deployment
from tests.repositories import History


def git(history: History, *rules: str, **options: Any) -> Git:
    given = {"path": str(history.path), "deployments": rules, **options}
    return Git("git", Git.Options(**given), base=history.path.parent)


def deployed(reading: Reading) -> dict[str, Deployment]:
    return {d.id: d for d in reading.records if isinstance(d, Deployment)}


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "shop")


def test_a_tag_is_a_deployment_when_it_was_made(history: History) -> None:
    first = history.commit("First", at=day(1))
    second = history.commit("Second", at=day(3))
    third = history.commit("Third", at=day(5))
    history.tag("v1.0", first)
    history.tag("v1.1", second, at=day(9))
    history.tag("v1.2", third, annotated=True)
    found = deployed(read(git(history, "tags:v*", service="cart"), Deployment))
    assert {(d.id, d.sha, d.finished_at) for d in found.values()} == {
        ("v1.0", first, day(1)),
        ("v1.1", second, day(9)),
        ("v1.2", third, day(5)),
    }
    assert found["v1.1"] == Deployment(
        id="v1.1",
        repository="local/shop",
        environment="production",
        status="succeeded",
        finished_at=day(9),
        sha=second,
        service="cart",
        name="v1.1",
        version="v1.1",
        inferred=True,
        rule="tags:v*",
    )


def test_tags_on_one_commit_are_one_deployment_at_the_earliest_time(history: History) -> None:
    sha = history.commit("Released", at=day(1))
    history.tag("v1.0-rc1", sha, at=day(2))
    history.tag("v1.0", sha, at=day(4))
    history.tag("v1", sha, at=day(3))
    found = read(git(history, "tags:v*"), Deployment).records
    assert {(d.id, d.environment, d.finished_at, d.name) for d in found} == {
        ("v1.0-rc1", "pre-release", day(2), "v1.0-rc1"),
        ("v1", "production", day(3), "v1, v1.0"),
    }


def test_only_tags_that_a_rule_fits_count_each_for_its_first_rule(history: History) -> None:
    for place, name in enumerate(["cart-v1.0", "release/2.0", "v3.0", "nightly"], start=1):
        history.tag(name, history.commit(name, at=day(place)))
    found = deployed(read(git(history, "tags:cart-*", "tags:*[0-9].0"), Deployment))
    assert {d.id: d.rule for d in found.values()} == {
        "cart-v1.0": "tags:cart-*",
        "release/2.0": "tags:*[0-9].0",
        "v3.0": "tags:*[0-9].0",
    }


def test_tags_of_tags_lead_to_their_commit_and_tags_of_files_are_left_out(history: History) -> None:
    sha = history.commit("One", at=day(1), files={"a": "1\n"})
    history.tag("v1", sha, at=day(2))
    history.git("tag", "v2", "v1", "-m", "of a tag")
    history.git("tag", "v3", history.git("rev-parse", "main:a"))
    history.git("tag", "v4", history.git("rev-parse", "main^{tree}"))
    reading = read(git(history, "tags:v*"), Deployment)
    assert [(d.sha, d.name) for d in deployed(reading).values()] == [(sha, "v1, v2")]
    assert reading.notes == ["Tags that name no commit with a time are left out: v3, v4."]


def test_every_commit_that_lands_on_a_branch_is_a_deployment(history: History) -> None:
    root = history.commit("Root", at=day(1))
    side = history.commit("Side", branch="side", parents=[root], at=day(2))
    merge = history.commit("Merge", parents=[root, side], at=day(3))
    last = history.commit("Last", at=day(4))
    found = read(git(history, "merges:main"), Deployment)
    assert {(d.id, d.sha, d.finished_at) for d in deployed(found).values()} == {
        (root, root, day(1)),
        (merge, merge, day(3)),
        (last, last, day(4)),
    }
    assert all(d.inferred and d.rule == "merges:main" for d in deployed(found).values())
    assert found.notes == []


def test_merges_keep_first_parent_order_where_a_clock_contradicts_it(history: History) -> None:
    days = [1, 2, 28, 3, 4, 1, 5]  # the third clock is fast, the sixth slow
    shas = [history.commit(f"{n}", at=day(n)) for n in days]
    found = read(git(history, "merges:main"), Deployment)
    times = [deployed(found)[sha].finished_at for sha in shas]
    assert times == [day(n) for n in (1, 2, 2, 3, 4, 4, 5)]
    (note,) = found.notes
    assert note.startswith("2 of 7 commits on main have a clock that contradicts their order")


@pytest.mark.parametrize(
    ("clocks", "times"),
    [
        ([], []),
        ([5], [5]),
        ([1, 1, 1], [1, 1, 1]),
        ([9, 1, 2, 3], [1, 1, 2, 3]),
        ([1, 2, 3, 0], [1, 2, 3, 3]),
        ([1, 9, 8, 7, 2, 3, 4], [1, 1, 1, 1, 2, 3, 4]),
    ],
)
def test_clocks_are_changed_in_as_few_places_as_can_be(clocks: list[int], times: list[int]) -> None:
    assert in_order(clocks) == times


def test_the_branch_of_the_remote_goes_before_a_local_one(history: History) -> None:
    local = history.commit("Local")
    ahead = history.commit("Fetched", branch="refs/remotes/origin/main", parents=[local])
    assert set(deployed(read(git(history, "merges:main"), Deployment))) == {local, ahead}


def test_a_new_tag_is_all_that_a_second_sync_gives(history: History) -> None:
    history.tag("v1.0", history.commit("One"))
    first = read(git(history, "tags:v*"), Deployment)
    history.tag("v1.1", history.commit("Two"))
    second = read(git(history, "tags:v*"), Deployment, first.cursor)
    assert set(deployed(second)) == {"v1.1"}
    assert (second.removed, second.notes) == ([], [])


def test_a_moved_tag_replaces_its_deployment(history: History) -> None:
    one, two = history.commit("One", at=day(1)), history.commit("Two", at=day(2))
    history.tag("v1.0", one)
    first = read(git(history, "tags:v*"), Deployment)
    history.tag("v1.0", two)
    second = read(git(history, "tags:v*"), Deployment, first.cursor)
    assert [(d.id, d.sha, d.finished_at) for d in deployed(second).values()] == [
        ("v1.0", two, day(2))
    ]
    assert second.notes == ["Tags were moved since the last sync: v1.0."]
    assert second.removed == []


def test_a_deleted_tag_takes_its_deployment_with_it(history: History) -> None:
    history.tag("v1.0", history.commit("One"))
    history.tag("v1.1", history.commit("Two"))
    first = read(git(history, "tags:v*"), Deployment)
    history.delete("refs/tags/v1.1")
    second = read(git(history, "tags:v*"), Deployment, first.cursor)
    assert second.removed == [("v1.1", "local/shop", "production")]
    assert second.notes == ["Tags were deleted since the last sync: v1.1."]
    history.delete("refs/tags/v1.0")
    third = read(git(history, "tags:v*"), Deployment, second.cursor)
    assert third.removed == [("v1.0", "local/shop", "production")]


def test_merges_that_were_rewritten_away_are_taken_back(history: History) -> None:
    root = history.commit("Root", at=day(1))
    regretted = history.commit("Regretted", at=day(2))
    first = read(git(history, "merges:main"), Deployment)
    better = history.commit("Better", parents=[root], at=day(3))
    second = read(git(history, "merges:main"), Deployment, first.cursor)
    assert set(deployed(second)) == {better}
    assert second.removed == [(regretted, "local/shop", "production")]


def test_merges_that_later_ones_prove_wrong_in_time_are_given_again(history: History) -> None:
    history.commit("One", at=day(1))
    fast = history.commit("Fast clock", at=day(28))
    first = read(git(history, "merges:main"), Deployment)
    assert deployed(first)[fast].finished_at == day(28)
    later = [history.commit(f"{n}", at=day(n)) for n in (2, 3)]
    second = read(git(history, "merges:main"), Deployment, first.cursor)
    assert {d.id: d.finished_at for d in deployed(second).values()} == {
        fast: day(1),
        later[0]: day(2),
        later[1]: day(3),
    }


@pytest.mark.parametrize("seconds", [2, 4])
def test_syncs_in_steps_end_where_one_sync_does(history: History, seconds: int) -> None:
    held: dict[Any, Any] = {}
    cursor = None
    for step in range(6):
        sha = history.commit(f"{step}", at=day(1 + step * seconds % 5))
        history.tag(f"v{step}", sha)
        if step == 3:
            history.delete("refs/tags/v1")
        reading = read(git(history, "tags:v*", "merges:main"), Deployment, cursor)
        held.update({key_of(record): record for record in reading.records})
        for key in reading.removed:
            held.pop(key)
        cursor = reading.cursor
    assert held == read(git(history, "tags:v*", "merges:main"), Deployment).facts()


def test_a_changed_rule_takes_back_what_the_old_one_gave(history: History) -> None:
    one = history.commit("One", at=day(1))
    history.tag("v1.0", one)
    first = read(git(history, "tags:v*"), Deployment)
    second = read(git(history, "merges:main", environment="live"), Deployment, first.cursor)
    assert second.removed == [("v1.0", "local/shop", "production")]
    assert [(d.id, d.environment) for d in deployed(second).values()] == [(one, "live")]
    third = read(git(history, repository="host/a/b"), Deployment, second.cursor)
    assert third.removed == [(one, "local/shop", "live")]
    assert third.records == []


def test_a_file_tells_deployments_by_version_or_commit(history: History, tmp_path: Path) -> None:
    one, two = history.commit("One"), history.commit("Two")
    history.tag("v1.0", one)
    (tmp_path / "shipped.csv").write_bytes(
        b"\xef\xbb\xbfversion,sha,finished_at,environment,status,unplanned\r\n"
        b"1.0,,2026-01-01T02:00:00+02:00,,,\r\n"
        b"hotfix," + two[:10].encode() + b",2026-01-02T00:00:00Z,eu,failed,yes\r\n"
        b"2.0,,2026-01-03T00:00:00Z,,,\r\n"
        b"3.0,,2026-01-04 00:00,,,\r\n"
        b"4.0,,,,,\r\n"
    )
    reading = read(git(history, "file:shipped.csv"), Deployment)
    found = deployed(reading).values()
    assert [(d.version, d.sha, d.finished_at, d.environment, d.status) for d in found] == [
        ("1.0", one, day(1), "production", "succeeded"),
        ("hotfix", two, day(2), "eu", "failed"),
        ("2.0", None, day(3), "production", "succeeded"),
    ]
    assert [d.unplanned for d in found] == [False, True, False]
    assert not any(d.inferred for d in found)
    assert [r.location for r in reading.rejected] == [
        f"{tmp_path / 'shipped.csv'}:5",
        f"{tmp_path / 'shipped.csv'}:6",
    ]


def test_a_file_of_json_lines_says_the_same(history: History, tmp_path: Path) -> None:
    one = history.commit("One")
    (tmp_path / "shipped.jsonl").write_text(
        f'{{"id": "7", "sha": "{one}", "finished_at": "2026-01-01T00:00:00Z", "url": null}}\n'
    )
    found = deployed(read(git(history, "file:shipped.jsonl"), Deployment))
    assert (found["7"].sha, found["7"].finished_at, found["7"].url) == (one, day(1), None)


def test_a_file_that_is_not_there_or_has_a_strange_column_is_an_error(
    history: History, tmp_path: Path
) -> None:
    history.commit("One")
    with pytest.raises(SourceError, match="cannot be read"):
        read(git(history, "file:shipped.csv"), Deployment)
    (tmp_path / "shipped.csv").write_text("version,finnished_at\n")
    with pytest.raises(SourceError, match="finnished_at") as caught:
        read(git(history, "file:shipped.csv"), Deployment)
    assert "finished_at" in caught.value.hint


def test_no_tag_that_fits_is_an_error_that_names_the_tags_there_are(history: History) -> None:
    history.tag("release-1", history.commit("One"))
    with pytest.raises(RepositoryError, match="fits tags:v") as caught:
        read(git(history, "tags:v*"), Deployment)
    assert "release-1" in caught.value.hint


def test_no_tag_at_all_is_an_error_that_offers_the_default_branch(history: History) -> None:
    history.commit("One")
    with pytest.raises(RepositoryError) as caught:
        read(git(history, "tags:v*"), Deployment)
    assert "merges:main" in caught.value.hint
    assert read(git(history), Deployment).records == []


def test_an_unknown_branch_is_an_error_that_names_the_branches(history: History) -> None:
    history.commit("One", branch="trunk")
    with pytest.raises(RepositoryError, match="'main'") as caught:
        read(git(history, "merges:main"), Deployment)
    assert "trunk" in caught.value.hint


@pytest.mark.parametrize("text", ["v*", "tags:", "tag:v*", "merges: "])
def test_a_rule_that_is_none_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(ValidationError, match="merges:main"):
        Git.Options(path=".", deployments=[text])


@pytest.mark.parametrize(
    "text",
    [
        "1.0",
        "1.0.0",
        "1.0a1",
        "1.0.b2",
        "1.0-rc.1",
        "1.0rc1",
        "1.0.dev3",
        "1.0.post1",
        "1.0-1",
        "1.0+local",
        "1.0.0+build.7",
        "1.0preview1",
        "2026.1.5",
        "1.0.post1.dev2",
        "1.0c1",
        "1.0-alpha",
    ],
)
@pytest.mark.parametrize("prefix", ["", "v", "release/", "checkout-v", "cart_2-v"])
def test_what_pep_440_calls_a_prerelease_is_one(text: str, prefix: str) -> None:
    found = version(prefix + text)
    assert found is not None
    assert found.prerelease is Version(text).is_prerelease


@pytest.mark.parametrize(
    ("tag", "prerelease"),
    [
        ("v1.2.3-x.7.z.92", True),  # SemVer's own example
        ("v1.0.0-alpha.beta", True),
        ("v1.0.0-beta+exp.sha.5114f85", True),
        ("v1.0.0+20130313144700", False),
        ("1.2-SNAPSHOT", True),
        ("2.0.M1", True),
        ("v3-beta", True),
        ("v0.99.9m", False),
        ("v1.0.0-hotfix.1", False),
        ("v4.5.6-final", False),
        ("v1.2.3-lts", False),
        ("2026.01.05-3f2a1bc", False),  # no SemVer: numbers with leading zeros
    ],
)
def test_what_only_semver_or_custom_knows_is_told_too(tag: str, prerelease: bool) -> None:
    found = version(tag)
    assert found is not None
    assert found.prerelease is prerelease


@pytest.mark.parametrize("tag", ["nightly", "deploy-prod", "stable", "a1b2c3d"])
def test_a_name_without_a_version_is_none(tag: str) -> None:
    assert version(tag) is None


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["v1.0", "v1.1", "v1.2-rc1", "nightly"], ("v*", 2)),
        (["v1.0", "v1.1", "vendor-3.0"], ("v[0-9]*", 2)),
        (["0.1", "1.0", "2.0rc1"], ("[0-9]*", 2)),
        (["cart-v1.0", "cart-v1.1", "till-v1.0"], ("cart-v*", 2)),
        (["release-2026", "nightly"], None),
        (["v1.0-rc1"], None),
        ([], None),
    ],
)
def test_the_largest_family_of_versions_is_found(
    tags: list[str], expected: tuple[str, int] | None
) -> None:
    assert family(tags) == expected


def test_a_suggestion_is_a_rule_that_works(history: History) -> None:
    sha = history.commit("One")
    suggest = load("git").suggest
    rule, why = suggest(history.path)
    assert (rule, "no version tags" in why) == ("merges:main", True)
    assert set(deployed(read(git(history, rule), Deployment))) == {sha}
    history.tag("v1.0", sha)
    rule, why = suggest(str(history.path))
    assert (rule, "One version tag" in why) == ("tags:v*", True)
    assert set(deployed(read(git(history, rule), Deployment))) == {"v1.0"}
