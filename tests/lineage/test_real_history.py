"""The delivering tag equals what `git tag --contains` says, by tag time, on a real repository."""

from __future__ import annotations

import random
from pathlib import Path

from dora import lineage
from tests.lineage.stores import at, services, store
from tests.repositories import History


def branching(path: Path, commits: int, seed: int) -> History:
    """A history with parallel branches, merges both ways, and clocks that run backwards."""
    chosen = random.Random(seed)
    history = History(path)
    known = [history.commit("Begin", files={"a": "0"})]
    for number in range(commits):
        width = chosen.choice([1, 1, 1, 2, 3])
        parents = list(dict.fromkeys(chosen.choices(known[-8:], k=width)))
        known.append(
            history.commit(
                f"Change {number}",
                at=1_700_000_000 + chosen.randrange(10**6),
                branch=f"work-{number % 5}",
                parents=parents,
            )
        )
    for number, commit in enumerate(chosen.sample(known, commits // 6)):
        history.tag(f"v{number}", commit, at=1_800_000_000 + chosen.randrange(10**6))
    return history


def test_the_delivering_tag_is_the_earliest_that_contains_the_commit(tmp_path: Path) -> None:
    history = branching(tmp_path / "shop", commits=120, seed=7)
    connection = store()
    services(connection, "shop")
    for number, row in enumerate(history.git("log", "--all", "--format=%H|%P").splitlines(), 1):
        sha, parents = row.split("|")
        connection.execute(
            "insert into commits (source, commit_id, repository, sha, parents) values"
            " ('git', ?, 'shop', ?, ?)",
            [number, sha, parents],
        )
    times = {}
    for row in history.git(
        "for-each-ref", "refs/tags", "--format=%(refname:short) %(*objectname) %(creatordate:unix)"
    ).splitlines():
        tag, sha, when = row.split()
        times[tag] = int(when)
        connection.execute(
            "insert into deployments (source, id, repository, environment, status, finished_at,"
            " sha, inferred) values ('git', ?, 'shop', 'production', 'succeeded', ?, ?, true)",
            [tag, at(int(when) / 3600), sha],
        )
    lineage.update(connection)
    ours = dict(
        connection.execute(
            "select c.sha, d.deployment from lineage l join commits c using (commit_id)"
            " join stream_deployments d using (stream, position)"
        ).fetchall()
    )
    shas = history.git("rev-list", "--all").split()
    assert len(times) == 20
    for sha in shas:
        containing = history.git("tag", "--contains", sha).split()
        assert ours.get(sha) == min(containing, key=times.__getitem__, default=None)
    assert 60 < len(ours) < len(shas)
