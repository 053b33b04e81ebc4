"""What the record of deployments and incidents has of what it should have, on both engines."""

from __future__ import annotations

from tests.models.failures.world import World, at

COUNTED = ("service", "deployments", "of_known_commit", "in_order", "told_once")


def test_what_each_deployment_lacks_is_counted_by_day(world: World) -> None:
    world.line("a", "b")
    world.tables["covered_services"] = [{"service": "shop"}]
    world.deploy("V1", "1 10:00", "a", started_at=at("1 09:00"))
    world.deploy("V2", "1 12:00", "b", started_at=at("1 13:00"))
    world.deploy("V3", "1 14:00")
    world.deploy("V4", "1 15:00", status="failed")
    world.deploy("B1", "1 10:00", services=("blog",))
    assert world.rows("coverage_deployments", *COUNTED) == [
        ("blog", 1, 0, 1, 1), ("shop", 3, 2, 2, 3),
    ]  # fmt: skip
    some = world.rows("coverage_deployments", "service", where="m.covered > 0")
    assert some == [("shop",)]


def test_the_same_commit_from_another_source_soon_after_is_told_twice(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("copy", "1 10:05", "a", source="forge")
    world.deploy("V2", "1 12:00", "b")
    world.deploy("late", "1 12:05:00.000001", "b", source="forge")
    [(deployments, once)] = world.rows("coverage_deployments", "deployments", "told_once")
    assert (deployments, once) == (4, 3)


def incidents(world: World, column: str) -> dict[str, bool]:
    return {name: bool(v) for name, v in world.rows("coverage_incidents", "incident", column)}


def test_an_incident_that_another_source_detected_just_before_is_told_twice(world: World) -> None:
    world.incident("page", "1 10:00", "1 11:00")
    world.incident("ticket", "1 10:05", "1 11:00", source="tracker")
    world.incident("next page", "1 10:06", "1 11:00")
    world.incident("elsewhere", "1 10:01", "1 11:00", source="tracker", services=("blog",))
    world.incident("later", "1 12:00", "1 13:00", source="tracker")
    world.incident("again", "1 12:01", "1 13:00", source="tracker")
    told = incidents(world, "told_once")
    # the next page follows the ticket, of another source, by a minute
    assert [name for name, once in told.items() if not once] == ["next page", "ticket"]


def test_what_repeats_or_does_not_count_makes_no_other_a_repetition(world: World) -> None:
    world.incident("outside", "1 10:00", "1 11:00", external=True)
    world.incident("ticket", "1 10:01", "1 11:00", source="tracker")
    world.incident("nobody's", "1 10:02", "1 11:00", services=())
    world.incident("nobody's too", "1 10:03", "1 11:00", source="tracker", services=())
    assert all(incidents(world, "told_once").values())


def test_an_incident_open_for_more_than_thirty_days_has_no_end(world: World) -> None:
    world.incident("ended", "1 10:00", "1 11:00")
    world.incident("fresh", "1 10:00:01")
    world.incident("old", "1 09:59")
    world.as_of = at("31 10:00")
    assert incidents(world, "ended") == {"ended": True, "fresh": True, "old": False}
