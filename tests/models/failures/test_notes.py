"""Deployments that bring nothing or come in bursts, and incidents that were opened again."""

from __future__ import annotations

from tests.models.failures.world import World, at


def noted(world: World) -> dict[str, str]:
    return dict(world.rows("noted_deployments", "deployment", "note"))


def test_the_same_commit_again_is_noted_and_a_new_one_is_not(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.deploy("again", "3 10:00", "b")
    assert noted(world) == {"again": "same commit"}
    [(service, environment, day)] = world.rows("noted_deployments", "service", "environment", "day")
    assert (service, environment, str(day)) == ("shop", "production", "2026-03-03")


def test_a_rollback_brings_nothing_and_is_no_note(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.deploy("back", "2 12:00", "a")
    assert noted(world) == {}


def test_rolling_forward_again_brings_nothing_new(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.deploy("back", "2 12:00", "a")
    world.deploy("forward", "2 14:00", "b")
    assert noted(world) == {"forward": "nothing new"}


def test_ten_minutes_after_the_one_before_is_soon_after_and_later_is_not(world: World) -> None:
    world.line("a", "b", "c", "d")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "1 10:10", "b")
    world.deploy("V3", "1 10:20:00.000001", "c")
    world.deploy("V4", "1 10:25", "d")
    assert noted(world) == {"V2": "soon after", "V4": "soon after"}


def test_other_services_and_environments_are_not_soon_after(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V1-eu", "1 10:01", "a", environment="production-eu")
    world.deploy("B1", "1 10:02", "b", services=("blog",))
    assert noted(world) == {}


def test_a_repair_soon_after_is_no_note(world: World) -> None:
    world.line("a", "b")
    world.commit("mend", "b", subject="hotfix: mend it")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.deploy("V3", "2 10:05", "mend")
    world.deploy("V4", "2 10:08", "mend", fixes="V2")
    assert noted(world) == {}


def test_an_unknown_commit_is_not_said_to_bring_nothing(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("unknown", "2 10:00")
    world.deploy("unknown too", "3 10:00")
    assert noted(world) == {}


def test_a_deployment_of_two_repositories_brings_something_if_one_of_them_does(
    world: World,
) -> None:
    world.line("a", "b")
    world.commit("x", repository="hub/lib")
    world.commit("y", "x", repository="hub/lib")
    world.deploy("V1", "1 10:00", "a", also=["x"])
    world.deploy("V2", "2 10:00", "a", also=["y"])
    world.deploy("V3", "3 10:00", "a", also=["y"])
    assert noted(world) == {"V3": "same commit"}


def test_incidents_opened_again_are_listed_once_a_service(world: World) -> None:
    world.incident("again", "1 10:00", "1 20:00", first_resolved="1 11:00", reopenings=2,
                   services=("blog", "shop"))  # fmt: skip
    world.incident("once", "1 10:00", "1 20:00", first_resolved="1 20:00")
    world.incident("open", "2 10:00", first_resolved="2 11:00", reopenings=1)
    assert world.rows("reopened_incidents", "incident", "service", "reopenings") == [
        ("again", "blog", 2), ("again", "shop", 2), ("open", "shop", 1),
    ]  # fmt: skip


def test_what_does_not_count_or_is_not_known_yet_is_not_listed(world: World) -> None:
    told = {"first_resolved": "1 11:00", "reopenings": 1}
    world.incident("outside", "1 10:00", "1 20:00", external=True, **told)
    world.incident("first", "1 10:00", "1 20:00")
    world.incident("twice", "1 10:00", "1 20:00", duplicate_of="first", **told)
    world.incident("later", "1 10:00", "9 20:00", first_resolved="8 10:00", reopenings=1)
    world.incident("nobody's", "1 10:00", "1 20:00", services=(), **told)
    world.as_of = at("5")
    assert world.rows("reopened_incidents", "incident", "service") == [("nobody's", None)]
