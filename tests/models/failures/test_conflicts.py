"""Several kinds of evidence at once: which decides, which is shown, and each kind switched off."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.models.failures.world import World

Scene = Callable[[World], None]


def releases(world: World, *names: str) -> None:
    """Deployments V1, V2 … of a line of commits, one a day at ten."""
    for day, name in enumerate(names, start=1):
        world.deploy(f"V{day}", f"{day} 10:00", name)


# --- one repair, two kinds of evidence: the stronger decides ------------------------------------


def stated_and_rollback(world: World) -> None:
    world.line("a", "b", "c")
    releases(world, "a", "b", "c")
    world.deploy("repair", "4 10:00", "a", rolls_back="V2")


def stated_and_revert(world: World) -> None:
    world.line("a", "b", "c")
    world.commit("undo", "c", reverts="c")
    releases(world, "a", "b", "c")
    world.deploy("repair", "4 10:00", "undo", fixes="V2")


def stated_and_hotfix(world: World) -> None:
    world.line("a", "b", "c")
    world.commit("fix", "c", subject="hotfix")
    releases(world, "a", "b", "c")
    world.deploy("repair", "4 10:00", "fix", fixes="V2")


def rollback_and_revert(world: World) -> None:
    """One repository goes back while another takes a revert along."""
    world.line("a", "b", "c")
    world.commit("x", repository="hub/web")
    world.commit("y", "x", repository="hub/web")
    world.commit("undo", "y", reverts="y", repository="hub/web")
    world.deploy("V1", "1 10:00", "a", also=["x"])
    world.deploy("V2", "2 10:00", "a", also=["y"])
    world.deploy("V3", "3 10:00", "b", also=["y"])
    world.deploy("repair", "4 10:00", "a", also=["undo"])


def rollback_and_hotfix(world: World) -> None:
    """The hotfix would blame the nearest deployment, which changed the other repository only."""
    world.line("a", "b")
    world.commit("x", repository="hub/web")
    world.commit("fix", "x", subject="hotfix", repository="hub/web")
    world.deploy("V1", "1 10:00", "a", also=["x"])
    world.deploy("V2", "2 10:00", "b")
    world.deploy("V3", "3 10:00", None, also=["x"])
    world.deploy("repair", "4 10:00", "a", also=["fix"])


def revert_and_hotfix(world: World) -> None:
    world.line("a", "b", "c")
    world.commit("undo", "c", subject="hotfix: take b back", reverts="b")
    releases(world, "a", "b", "c", "undo")


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        (
            stated_and_rollback,
            [
                ("V2", "rollback", "repair", False),
                ("V2", "stated", "repair", True),
                ("V3", "rollback", "repair", False),
            ],
        ),
        (
            stated_and_revert,
            [("V2", "stated", "repair", True), ("V3", "revert", "repair", False)],
        ),
        (
            stated_and_hotfix,
            [("V2", "stated", "repair", True), ("V3", "hotfix", "repair", False)],
        ),
        (
            rollback_and_revert,
            [("V2", "revert", "repair", False), ("V3", "rollback", "repair", True)],
        ),
        (
            rollback_and_hotfix,
            [("V2", "rollback", "repair", True), ("V3", "hotfix", "repair", False)],
        ),
        (revert_and_hotfix, [("V2", "revert", "V4", True), ("V3", "hotfix", "V4", False)]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_of_one_repair_the_stronger_evidence_decides(
    world: World, scene: Scene, expected: list[object]
) -> None:
    scene(world)
    assert world.evidence() == expected


# --- one incident ------------------------------------------------------------------------------


def test_of_one_incident_what_it_states_decides_over_the_window(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00")
    world.incident("I", "2 11:00", "2 12:00", causes=["V1"])
    assert world.evidence() == [("V1", "stated", "I", True), ("V2", "window", "I", False)]
    assert world.failed() == [("V1", "stated", "I")]


def test_what_one_service_states_outweighs_the_window_of_another(world: World) -> None:
    world.deploy("shop-1", "1 10:00")
    world.deploy("mail-1", "1 10:00", services=["mail"])
    world.incident("I", "1 11:00", "1 12:00", services=["shop", "mail"], causes=["shop-1"])
    assert world.failed() == [("shop-1", "stated", "I")]


# --- incident and repair: both decide, the deployment shows the stronger -------------------------


def fixed(world: World) -> None:
    world.line("a", "b")
    releases(world, "a", "b")
    world.deploy("repair", "3 10:00", fixes="V2")


def rolled_back(world: World) -> None:
    world.line("a", "b")
    releases(world, "a", "b", "a")


def reverted(world: World) -> None:
    world.line("a", "b")
    world.commit("undo", "b", reverts="b")
    releases(world, "a", "b", "undo")


def hotfixed(world: World) -> None:
    world.line("a", "b")
    world.commit("fix", "b", subject="hotfix")
    releases(world, "a", "b", "fix")


@pytest.mark.parametrize(
    ("scene", "rule"),
    [(fixed, "stated"), (rolled_back, "rollback"), (reverted, "revert"), (hotfixed, "hotfix")],
    ids=["stated", "rollback", "revert", "hotfix"],
)
def test_deployment_shows_the_strongest_of_a_repair_and_an_incident(
    world: World, scene: Scene, rule: str
) -> None:
    scene(world)
    world.incident("I", "2 11:00", "2 12:00")
    assert world.failed() == [("V2", rule, None)]
    assert [decides for *_, decides in world.evidence()] == [True, True]


@pytest.mark.parametrize("scene", [rolled_back, reverted, hotfixed])
def test_what_an_incident_states_is_shown_before_any_repair(world: World, scene: Scene) -> None:
    scene(world)
    world.incident("I", "2 11:00", "2 12:00", causes=["V2"])
    assert world.failed() == [("V2", "stated", "I")]


def test_incident_and_repair_may_fail_different_deployments(world: World) -> None:
    rolled_back(world)
    world.incident("I", "2 11:00", "2 12:00", causes=["V1"])
    assert world.failed() == [("V1", "stated", "I"), ("V2", "rollback", None)]


def test_of_equal_evidence_the_incident_noticed_first_is_shown(world: World) -> None:
    world.deploy("V1", "1 10:00", failure_label=True)
    world.deploy("V2", "2 10:00", fixes="V1")
    world.incident("later", "1 12:00", "1 13:00", causes=["V1"])
    world.incident("sooner", "1 11:00", "1 13:00", causes=["V1"])
    assert world.failed() == [("V1", "stated", "sooner")]
    # The label, the fix, what two incidents state, and the window's two candidates.
    assert [decides for *_, decides in world.evidence()] == [True, True, True, True, False, False]


# --- each kind switched off ----------------------------------------------------------------------


def everything(world: World) -> None:
    """V2 is hotfixed, V4 reverted, V6 rolled back, V8 stated; an incident follows each."""
    world.line("a", "b")
    world.commit("fix", "b", subject="hotfix")
    world.line("fix", "d")
    world.commit("undo", "d", reverts="d")
    world.line("undo", "f", "g", "h", "i")
    for name, day, commit in (
        ("V1", 1, "a"), ("V2", 2, "b"), ("V3", 3, "fix"), ("V4", 5, "d"), ("V5", 7, "undo"),
        ("V6", 9, "f"), ("V7", 11, "undo"), ("V8", 13, "g"), ("V9", 15, "h"),
    ):  # fmt: skip
        world.deploy(name, f"{day} 10:00", commit)
    world.incident("I", "15 12:00", "15 13:00", causes=["V8"])
    world.deploy("V10", "17 10:00", "i")
    world.incident("J", "17 12:00", "17 13:00")


EVERYTHING = {
    "hotfix": ("V2", "hotfix", None),
    "revert": ("V4", "revert", None),
    "rollback": ("V6", "rollback", None),
    "stated": ("V8", "stated", "I"),
    "window": ("V10", "window", "J"),
}


@pytest.mark.parametrize("off", [None, "hotfix", "revert", "rollback", "window"])
def test_each_kind_can_be_switched_off(world: World, off: str | None) -> None:
    world.rules |= {f"rule_{off}": False} if off else {}
    everything(world)
    expected = [row for rule, row in EVERYTHING.items() if rule != off]
    assert world.failed() == sorted(expected, key=repr)


def test_without_stated_links_the_window_decides(world: World) -> None:
    world.rules["rule_stated"] = False
    everything(world)
    without = {k: v for k, v in EVERYTHING.items() if k != "stated"}
    assert world.failed() == sorted([*without.values(), ("V9", "window", "I")], key=repr)


def test_switching_kinds_off_does_not_change_what_is_rework(world: World) -> None:
    world.rules |= {f"rule_{r}": False for r in EVERYTHING}
    everything(world)
    assert world.failed() == []
    assert world.rework() == [
        ("V3", "hotfix", "V2"),
        ("V5", "revert", "V4"),
        ("V7", "rollback", "V6"),
    ]


def test_candidate_decides_once_the_stronger_kind_is_off(world: World) -> None:
    world.rules["rule_revert"] = False
    revert_and_hotfix(world)
    assert world.evidence() == [("V3", "hotfix", "V4", True)]
