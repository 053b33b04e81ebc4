"""Facts planted by hand: a scene for each nasty case of a rule, each its own service."""

from __future__ import annotations

from tests.oracle.scenes import KINDS, TICK, Scene, at, versions
from tests.oracle.world import Service, World


def rollbacks(world: World) -> None:
    """Every order of versions that the definition speaks of, and unknown ones between."""
    orders = (
        "abab",
        "abca",
        "abcba",
        "aabb",
        "ba",
        "ab?a",
        "a?b",
        "a??cb",
        "?ab",
        "abcbabc",
        "?",
        "a?ab",
        "cba",
        "abcdbdacd",
    )
    for number, order in enumerate(orders):
        versions(Scene(world, f"rollback-{number}"), order)
    said = Scene(world, "rollback-unseen")  # to a version that was never deployed
    said.line("a", "b", "c", "d")
    said.head("d")
    for number, letter in enumerate("bdac"):
        said.deploy(f"{number}", letter, 100 + number)
    tags = Scene(world, "rollback-inferred")
    tags.line("a", "b", "c")
    for number, letter in enumerate("abcac"):
        tags.deploy(f"{number}", letter, 100 + number, inferred=True)


def ties(world: World) -> None:
    """Deployments that finish at the same instant: the ancestor goes first, then the id."""
    scene = Scene(world, "ties")
    scene.line("a", "b", "c", "d")
    scene.commit("x", "b", 2)
    scene.head("d")
    scene.deploy("z", "a", 50)
    scene.deploy("9", "b", 60)  # finishes with its descendant, whose id is smaller
    scene.deploy("1", "c", 60)
    scene.deploy("4", "x", 70)
    scene.deploy("3", "d", 70)
    scene.deploy("6", "d", 80)
    scene.deploy("5", "d", 80)
    scene.incident("i", 80, 82)
    scene.incident("before", 79.9999, 82)


def environments(world: World) -> None:
    """Two production environments, one lagging, one fallen out of use, one that starts late."""
    scene = Scene(world, "regions")
    scene.line("a", "b", "c", "d", "e", "f")
    scene.head("f")
    scene.deploy("e1", "a", 10, "prod-eu")
    scene.deploy("u1", "a", 11, "prod-us")
    scene.deploy("e2", "c", 20, "prod-eu")
    scene.deploy("u2", "b", 25, "prod-us")
    scene.deploy("s1", "f", 26, "staging")
    scene.deploy("m1", "f", 26, "mystery")
    scene.deploy("t1", "d", 27, "gcp-3", tier="production")
    scene.deploy("u3", "d", 30, "prod-us")
    scene.deploy("e3", "d", 30, "prod-eu")
    scene.deploy("u4", "e", 24 * 90 + 30, "prod-us")  # prod-eu last used just 90 days before
    scene.deploy("u5", "f", 24 * 90 + 31, "prod-us")
    scene.incident("i", 31, 33)
    late = Scene(world, "late-region")
    late.line("a", "b", "c", "d")
    late.deploy("e1", "a", 10, "prod-eu")
    late.deploy("e2", "b", 20, "prod-eu")
    late.deploy("u1", "b", 30, "prod-us")  # its baseline contains b, which eu had delivered
    late.deploy("e3", "d", 40, "prod-eu")
    late.deploy("u2", "c", 50, "prod-us")
    late.deploy("u3", None, 51, "prod-us")
    late.deploy("u4", "d", 52, "prod-us")
    late.head("d")


def pull_requests(world: World) -> None:
    """Squash, rebase, merge, fast-forward, unknown originals, and everything about stages."""
    s = Scene(world, "pulls")
    s.commit("root", "", 0)
    s.deploy("d0", "root", 1)
    s.commit("squash", "root", 30)  # 1: squashed
    s.pull(1, 20, 30, "squash", "o1 o2", ready_at=at(22))
    s.review(1, "r1", 21, "bot")
    s.review(1, "r2", 25)
    s.review(1, "r3", 24, "author")
    s.commit("re1", "squash", 40, authored_at=at(15), author="ann")  # 2: rebased
    s.commit("re2", "re1", 40, authored_at=at(16), author="ann")
    s.pull(2, 20, 40, "re2", "q1 q2")
    s.commit("m1", "root", 32)  # 3: a merge
    s.commit("m2", "m1", 33)
    s.commit("merge", "re2 m2", 45)
    s.pull(3, 35, 45, "merge")
    s.original(3, "m1", 32)
    s.original(3, "m2", 33)
    s.commit("ff", "merge", 46)  # 4: fast-forward, draft merged without review
    s.pull(4, 47, 48, "ff", ready_at=at(44))
    s.original(4, "ff", 46)
    s.commit("alone", "ff", 50, subject="Do it (#5)", pull_request=5)  # 5: git alone knows it
    s.commit("named", "alone", 51, pull_request=6)  # 6: found by its subject
    s.pull(6, 41, 52, None, "n1")
    s.commit("tip", "named", 53)  # 7: found by its head
    s.pull(7, 50, 54, None, head_sha=s.sha("tip"))
    s.review(7, "late", 60)  # a review after the merge
    s.commit("bot", "tip", 55, is_bot=True)
    s.commit("future", "bot", 300)  # authored after it was deployed
    s.commit("botpull", "future", 56)
    s.pull(8, 55, 56, "botpull", is_bot=True)
    s.original(8, "b1", 55, is_bot=True)
    s.commit("labelled", "botpull", 57)
    s.pull(9, 56, 57, "labelled", "l1", labels="bug,HotFix")
    s.commit("open", "labelled", 58)
    s.pull(10, 57, None, None, "open")
    s.deploy("d1", "open", 100)
    s.commit("wait1", "open", 101)
    s.commit("wait2", "wait1", 130)
    s.pull(11, 120, 130, "wait2", "w1 w2")
    s.commit("wait3", "wait2", 131, is_bot=True)
    s.head("wait3")


def nested(world: World) -> None:
    """A pull request into another's branch, shared originals, and a branch merged twice."""
    s = Scene(world, "nested")
    s.commit("root", "", 0)
    s.deploy("d0", "root", 1)
    s.pull(1, 10, 15, "inner", "i1 i2")  # squashed into the branch of 2
    s.commit("outer", "root", 30)
    s.pull(2, 20, 30, "outer")
    s.original(2, "p1", 8)
    s.original(2, "inner", 15)
    s.original(2, "p2", 16)
    s.pull(3, 31, 34, "deepest", "x1")  # three deep
    s.pull(4, 31, 35, "deeper")
    s.original(4, "deepest", 34)
    s.original(4, "y1", 32)
    s.commit("deep", "outer", 40)
    s.pull(5, 31, 40, "deep")
    s.original(5, "deeper", 35)
    s.commit("first", "deep", 50)
    s.pull(6, 41, 50, "first", "shared own6")
    s.commit("second", "first", 51)
    s.pull(7, 41, 51, "second", "shared own7")
    s.original(7, "joined", 45, merges=True)
    s.deploy("d1", "first", 60)
    s.deploy("d2", "second", 70)
    s.head("second")


def baselines(world: World) -> None:
    """A first deployment on a merge sha, on a plain commit, and behind an unknown sha."""
    for name, deployed in (("base-pull", "landed"), ("base-commit", "b")):
        s = Scene(world, name)
        s.line("a", "b")
        s.commit("landed", "b", 5)
        s.pull(1, 3, 5, "landed", "o1 o2")
        s.commit("c", "landed", 6)
        s.deploy("d1", deployed, 10)
        s.deploy("d2", "c", 20)
        s.head("c")
        s.incident("i", 12, 13, service=name)
        s.cause("i", s.sha("a"))
        s.commit("undo", "c", 30)
        s.says("undo", "reverts", "a")
        s.deploy("d3", "undo", 40)
    s = Scene(world, "base-unknown")
    s.line("a", "b", "c")
    s.deploy("d0", None, 5)
    s.deploy("d1", "a", 10)
    s.deploy("d2", "c", 20)
    s.head("c")
    s = Scene(world, "never-known")
    s.line("a")
    s.head("a")
    s.deploy("d0", None, 5)
    s.deploy("d1", None, 6)


def cherry_picks(world: World) -> None:
    """A copy on a release branch, a copy of a copy, of a squash, of something unknown."""
    s = Scene(world, "picks")
    s.line("a", "b", "c", "d")
    s.commit("land", "d", 6)
    s.pull(1, 5, 6, "land", "o1 o2")
    s.commit("c1", "a", 20, authored_at=at(2))
    s.says("c1", "cherry_picked_from", "c", short=10)
    s.commit("c2", "c1", 21, authored_at=at(3))
    s.says("c2", "cherry_picked_from", "land")
    s.commit("lost", "c2", 22)
    s.says("lost", "cherry_picked_from", "not-here")
    s.commit("c3", "b", 30, authored_at=at(2))
    s.says("c3", "cherry_picked_from", "c1")
    s.commit("hot", "d", 40, subject="Hotfix: now")
    s.commit("hot1", "lost", 41, subject="Hotfix: now")
    s.says("hot1", "cherry_picked_from", "hot")
    s.commit("end", "hot", 42)
    s.deploy("d1", "a", 10)
    s.deploy("d2", "lost", 25)
    s.deploy("d3", "c3", 35)
    s.deploy("d4", "hot1", 45)
    s.deploy("d5", "land", 50)
    s.deploy("d6", "end", 60)
    s.head("end")


def reverts(world: World) -> None:
    """Reverts later, at once, of a revert, by pull request, of an original, after a year."""
    s = Scene(world, "reverts")
    s.line("root", "a", "b", "c")
    s.commit("undo-a", "c", 20, subject='Revert "a"')
    s.says("undo-a", "reverts", "a")
    s.commit("redo-a", "undo-a", 30)
    s.says("redo-a", "reverts", "undo-a")
    s.commit("x", "redo-a", 40)
    s.commit("undo-x", "x", 41)
    s.says("undo-x", "reverts", "x")
    s.commit("land", "undo-x", 50)
    s.pull(1, 45, 50, "land", "o1 o2")
    s.commit("undo-land", "land", 60)
    s.pull(2, 55, 60, "undo-land", "u1", reverts=1)
    s.commit("redo-land", "undo-land", 70)
    s.pull(3, 65, 70, "redo-land", "u2", reverts=2)
    s.commit("undo-root", "redo-land", 80)
    s.says("undo-root", "reverts", "root")
    s.commit("undo-b", "undo-root", 9000)
    s.says("undo-b", "reverts", "b", short=12)
    s.deploy("d0", "root", 5)
    for number, (sha, hour) in enumerate(
        (
            ("a", 10),
            ("c", 15),
            ("undo-a", 25),
            ("redo-a", 35),
            ("undo-x", 45),
            ("land", 52),
            ("undo-land", 62),
            ("redo-land", 72),
            ("undo-root", 82),
            ("undo-b", 9001),
        )
    ):
        s.deploy(f"d{number + 1}", sha, hour)
    s.head("undo-b")


def hotfixes(world: World) -> None:
    """Hotfixes by title, label and branch, at the window's edges, in a row, over a rollback."""
    s = Scene(world, "hotfixes")
    s.line("a", "b")
    s.commit("h1", "b", 20, subject="hotfix the thing")
    s.commit("h2", "h1", 30, subject="HOTFIX: again")
    s.commit("c", "h2", 40, subject="hotfixes are fine")  # no word of ours
    s.commit("h3", "c", 50)
    s.pull(1, 45, 50, "h3", "o1", labels="emergency")
    s.commit("h4", "h3", 60)
    s.pull(2, 55, 60, "h4", "o2", head_branch="hotfix/login")
    s.commit("h5", "h4", 400)
    s.pull(3, 390, 400, "h5", "o3", title="Hotfix!")
    for name, sha, hour in (
        ("d1", "a", 10),
        ("d2", "b", 12),
        ("d3", "h1", 22),
        ("d4", "h2", 32),
        ("d5", "c", 42),
        ("d6", "b", 43),
        ("d7", "c", 44),
        ("d8", "h3", 52),
    ):
        s.deploy(name, sha, hour)
    s.deploy("d9", "h4", 44 + 168)  # seven days after d7 to the microsecond
    s.deploy("da", "h5", 44 + 168 + 1 / 3600)
    s.deploy("db", "h5", 500, unplanned=True)
    s.head("h5")


def windows(world: World) -> None:
    """Incidents at both edges of the window, a microsecond off, over environments, rollbacks."""
    s = Scene(world, "window")
    s.line("a", "b", "c", "d", "e")
    s.head("e")
    for name, sha, hour in (("d1", "a", 0), ("d2", "b", 100), ("d3", "c", 200), ("d4", "d", 300)):
        s.deploy(name, sha, hour)
    s.incident("at-once", 100, 101)
    s.incident("edge", 0, 230, detected_at=at(224))
    s.incident("beyond", 0, 330, detected_at=at(324) + TICK)
    s.incident("early", 0, 1, detected_at=at(0) - TICK)
    s.deploy("d5", "c", 400)  # a rollback, of d4
    s.incident("after-rollback", 401, 405)
    s.incident("long-after", 424.5, 430)
    s.deploy("d6", "e", 405)
    s.deploy("failed", "e", 406, status="failed")
    s.incident("not-the-failed", 407, 408)
    s.deploy("d7", "d", 407, "prod-eu")
    s.incident("other-region", 408, 409)
    s.deploy("d8", "e", 420)
    s.deploy("d9", "d", 421)
    s.incident("soon-after-rollback", 421.5, 423)


def stated(world: World) -> None:
    """Causes by id, address, sha and number; labels; fixes; strongest per incident and repair."""
    s = Scene(world, "stated")
    s.line("a", "b", "c", "d", "e", "f")
    s.commit("land", "f", 7)
    s.pull(7, 6, 7, "land", "o1")
    s.head("land")
    for place, sha in enumerate(("a", "b", "c", "d", "e", "f", "land")):
        s.deploy(f"d{place}", sha, 100 + 10 * place)
    s.deploy("bad", "land", 165, status="failed", labels="x, Rolled-Back")
    s.deploy("worse", "land", 166, status="failed", finished_at=None)
    s.deploy("d7", "land", 170, labels="failure")
    s.deploy("d8", "d", 171, rolls_back="d6")
    s.deploy("d9", "land", 172, fixes="d5", unplanned=True)
    for name, cause in (
        ("by-id", s.id("d1")),
        ("by-sha", s.sha("c")),
        ("by-number", f"{s.repository}#7"),
        ("nothing", "no such thing"),
        ("by-url", f"https://example.org/deployments/{s.id('d4')}"),
        ("of-attempt", s.id("worse")),
    ):
        s.incident(name, 168, 169.5)
        s.cause(name, cause)
    s.incident("again", 169, None)
    s.cause("again", s.id("d1"))


def keyed(world: World) -> None:
    """Causes by a tracker's key: in subjects, titles, branches; reverted, attempted, too late."""
    s = Scene(world, "keyed")
    s.commit("a", "", 1)
    s.commit("b", "a", 2, subject="KEY-1: begin")
    s.commit("c", "b", 3, subject="Merge branch 'feature/key-1-end'")
    s.commit("d", "c", 4, subject='Revert "KEY-1: begin"')
    s.says("d", "reverts", "b")
    s.commit("e", "d", 5, subject="KEY-10, XKEY-1, KEY-1_b")
    s.commit("f", "e", 6)
    s.pull(7, 5, 6, "f", title="KEY-2: it", head_branch="key-3")
    s.commit("g", "f", 7, subject="KEY-4")
    s.head("g")
    for place, sha in enumerate("abcdef"):
        s.deploy(f"d{place}", sha, 100 + 10 * place)
    s.deploy("tried", "g", 160, status="failed")
    for name, hour, key in (
        ("after-both", 155, "KEY-1"),
        ("between", 115, "KEY-1"),
        ("before", 109, "KEY-1"),
        ("title", 156, "KEY-2"),
        ("branch", 157, "KEY-3"),
        ("attempt", 161, "KEY-4"),
        ("small", 158, "key-1"),
        ("nowhere", 159, "KEY-9"),
    ):
        s.incident(name, hour, hour + 1)
        s.cause(name, key)


def incidents(world: World) -> None:
    """Open, reopened, duplicates of duplicates, external, not planned, invalid, unmapped."""
    s = Scene(world, "incidents")
    s.line("a", "b", "c")
    s.head("c")
    s.deploy("d1", "a", 0)
    s.deploy("d2", "b", 100)
    s.deploy("d3", "c", 200)
    s.incident("open", 101, None)
    s.incident("reopened", 201, 260, first_resolved_at=at(203), reopenings=2)
    s.incident("reopened-open", 202, None, first_resolved_at=at(204), reopenings=1)
    s.incident("twin", 203, 205, duplicate_of="open")
    s.incident("triplet", 204, 206, duplicate_of="twin")
    s.incident("cloud", 205, 206, external=True)
    s.incident("wontfix", 206, 207, not_planned=True)
    s.incident("backwards", 207, 206.5)
    s.incident("instant", 208, 208)
    s.incident("nobody", 209, 210, service=None)
    s.incident("by-repository", 210, 211, service=None, repository=s.repository)
    s.incident("unheard", 211, 212, service="no-such-service")
    s.incident("cloud-said", 212, 213, external=True)
    s.cause("cloud-said", s.id("d2"))
    s.incident("twin-said", 213, 214, duplicate_of="open")
    s.cause("twin-said", s.id("d3"))


def ends(world: World) -> None:
    """Incidents ended by a repair or a flag turned off: the last one shortly before the end."""
    s = Scene(world, "ends")
    s.line("a", "b", "c", "d")
    s.commit("fix", "d", 6, subject="hotfix: d")
    s.head("fix")
    for name, sha, hour in (("d1", "a", 0), ("d2", "b", 100), ("d3", "a", 102), ("d4", "d", 200)):
        s.deploy(name, sha, hour)
    s.deploy("d5", "fix", 203)
    s.incident("by-rollback", 101, 103)
    s.incident("just-before-rollback", 101, 101.9)
    s.incident("by-fix", 201, 203)
    s.incident("by-flag", 201, 202)
    s.incident("by-the-later", 201, 203.5)
    s.incident("flag-too-early", 201.2, 202.6)
    s.incident("at-the-edge", 201, 202.5)
    s.incident("still-open", 201, None)
    s.flag("x", 50, 1)
    s.flag("x", 201.5, 0)
    s.flag("x", 201.6, 0)  # off already
    s.flag("y", 203.4, 0.1)  # not off
    s.flag("z", 201.9, 0, environment="staging")
    s.flag("w", 203.3, 0, service="another")
    s.flag("v", 203.2, 0)
    s.incident("sev1", 204, 205, severity="SEV1")
    s.incident("sev3", 204, 205, severity="sev3")


def monorepo(world: World) -> None:
    """Two services by path in one repository, and a service whose name the deployment states."""
    s = Scene(world, "mono")
    s.commit("root", "", 0, paths=("README",))
    s.commit("web", "root", 10, paths=("web/a",))
    s.commit("api", "web", 20, paths=("api/a",))
    s.commit("both", "api", 30, paths=("web/b", "api/b"))
    s.commit("docs", "both", 40, paths=("docs/a",))
    s.commit("land", "docs", 50, paths=("web/c", "api/c"))
    s.pull(1, 45, 50, "land", "o1 o2")
    s.commit("web2", "land", 55, paths=("web/d",))
    s.head("web2")
    for service in ("mono-web", "mono-api"):
        s.deploy(f"{service}1", "root", 5, service=service)
        s.deploy(f"{service}2", "both", 35, service=service)
        s.deploy(f"{service}3", "land", 52 if service == "mono-web" else 60, service=service)
    s.deploy("all", "web2", 70)  # none stated: every configured service of the repository
    s.incident("web", 71, 72, service="mono-web")
    s.incident("either", 72, 73, service=None, repository=s.repository)


def several_repositories(world: World) -> None:
    """Deployments of two or three repositories at once, staged together, apart, or in part."""
    first, second, third = (Scene(world, "trio") for _ in range(3))
    second.repository, third.repository = "example.org/trio-b", "example.org/trio-c"
    first.line("a1", "a2", "a3", "a4")
    second.line("b1", "b2", "b3")
    third.line("c1")
    for scene, head in ((first, "a4"), (second, "b3"), (third, "c1")):
        scene.head(head)

    def ship(name: str, hour: float, *shas: str | None, to: str = "production") -> None:
        for scene, sha in zip((first, second, third), shas, strict=False):
            if sha != "":
                scene.deploy(name, sha, hour, to, service="trio")

    ship("s1", 10, "a1", "b1", to="staging")
    ship("p1", 20, "a1", "b1")
    ship("s2", 30, "a2", "", to="staging")
    ship("s3", 33, "", "b2", to="staging")
    ship("p2", 40, "a2", "b2")
    ship("p3", 50, "a3", "b2")  # the first was never there
    ship("p4", 55, None, "b2")
    ship("p5", 57, None, "b3")  # unknown and skipped
    ship("s4", 60, None, "", to="staging")
    ship("p6", 65, "a4", "b2")
    ship("p7", 70, "a2", "b2", "c1")  # the third has no staging
    first.incident("over-by-then", 41, 50 - 5 / 60)  # when p3 starts
    first.build("a1", 12, "succeeded")
    first.build("a2", 14, "failed")
    second.build("b1", 16, "failed", name="lint")  # from here on both are known
    second.build("b2", 30, "succeeded", name="lint")
    first.build("a3", 26, "succeeded", 9)
    first.build("a3", 28, "failed", name="optional")


def unheard(world: World) -> None:
    """A service of whose incidents nobody would know, with failures that show all the same."""
    s = Scene(world, "unheard")
    s.line("a", "b", "c")
    s.head("c")
    s.deploy("s1", "a", 90, "staging")
    for name, sha, hour in (("p1", "a", 100), ("p2", "b", 108), ("p3", "a", 110), ("p4", "c", 150)):
        s.deploy(name, sha, hour)


def copied(world: World) -> None:
    """Staging and production on branches of their own, with copies of each other's commits.

    It starts as a window closes (Tuesday, 14:00 UTC), and goes out amid a freeze (hour 113 to 141).
    """
    s = Scene(world, "copied")
    s.line("a", "b", "c", hour=20)
    s.commit("copy", "a", 24)
    s.says("copy", "cherry_picked_from", "b", short=12)
    s.commit("again", "a", 25)  # a copy of a copy
    s.says("again", "cherry_picked_from", "copy")
    s.commit("merge", "c copy", 26)
    s.commit("urgent", "merge", 115)
    s.head("urgent")
    s.deploy("s1", "c", 30, "staging")
    s.deploy("p1", "a", 39, started_at=at(38))
    s.deploy("p2", "copy", 50)
    s.deploy("s2", "merge", 60, "staging")
    s.deploy("p3", "again", 70)
    s.deploy("s3", "again", 80, "staging")
    s.deploy("p4", "urgent", 120)
    s.incident("i", 51, 52)


def planted() -> World:
    """All scenes in one world."""
    world = World(
        kinds=dict(KINDS),
        services=(
            Service("mono-web", ("example.org/mono",), ("web/**",), "front"),
            Service("mono-api", ("example.org/mono",), ("api/**",), "back"),
            Service("ties", ("example.org/ties",), (), "back"),
        ),
    )
    for scene in (
        rollbacks,
        ties,
        environments,
        pull_requests,
        nested,
        baselines,
        cherry_picks,
        reverts,
        hotfixes,
        windows,
        stated,
        keyed,
        incidents,
        ends,
        monorepo,
        several_repositories,
        unheard,
        copied,
    ):
        scene(world)
    return world
