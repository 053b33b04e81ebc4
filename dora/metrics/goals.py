"""Is a goal met? Judged by the whole interval, so that chance neither meets nor misses it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from dora import words
from dora.goals import Goal
from dora.metrics.levels import Standing
from dora.metrics.question import Question
from dora.metrics.result import Result
from dora.words import goals as text

State = Literal["met", "missed", "cannot be told yet"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a number meets its goal.

    Attributes:
        goal: The goal.
        standing: The number, as it is held against the goal.
        state: `met` where all of its interval is at least as good, `missed` where none of it is.
        reason: Why it cannot be told yet.
    """

    goal: Goal
    standing: Standing
    state: State
    reason: str | None

    @classmethod
    def of(cls, result: Result, goal: Goal) -> Judgement:
        """Hold a result against a goal."""
        standing = Standing.of(result)
        if standing.reason is not None:
            return cls(goal, standing, "cannot be told yet", standing.reason)
        low, high = standing.low, standing.high
        if low is None or high is None:
            return cls(goal, standing, "cannot be told yet", text.FEW)
        higher = result.metric.higher_is_better
        if low >= goal.target if higher else high <= goal.target:
            return cls(goal, standing, "met", None)
        if high < goal.target if higher else low > goal.target:
            return cls(goal, standing, "missed", None)
        return cls(goal, standing, "cannot be told yet", text.REACHES)

    @property
    def sentence(self) -> str:
        """The number, the goal, and whether it is met, in a sentence."""
        s = self.standing
        figure = words.estimate(s.value, s.low, s.high, s.unit)
        return text.sentence(s.result.metric.title, self.state, self.aim, figure, self.reason)

    @property
    def aim(self) -> str:
        """The goal as text, such as `2 d`."""
        return words.quantity(self.goal.target, self.standing.unit)

    def __str__(self) -> str:
        return text.short(self.state, self.aim)


def goal_of(question: Question, metric: str, goals: Iterable[Goal]) -> Goal | None:
    """The goal that a scope has for a metric: its service's, its team's, its group's, or any's."""
    scope, owners = question.scopes[0], [*_owners(question), None]
    of_metric = [goal for goal in goals if goal.metric == metric]
    for goal in of_metric:
        if goal.service is not None and is_named(goal.service, scope.service):
            return goal
    ranked = (
        goal
        for owner in owners
        for goal in of_metric
        if goal.service is None
        and (goal.team is None if owner is None else is_named(goal.team, owner))
    )
    return next(ranked, None)


def _owners(question: Question) -> list[str]:
    """The team of a scope, or those that own its one service when the window ends; then groups."""
    scope, directory = question.scopes[0], question.directory
    last = question.window.end - timedelta(days=1)
    teams = [scope.team] if scope.team else []
    if scope.kind == "service" and not teams:
        teams = [
            team
            for team, members in directory.teams.items()
            for m in members
            if m.service == scope.service and m.from_day <= last < m.until_day
        ]
    outwards = {team: directory.groups_of(team) for team in teams}
    nearest = sorted(teams, key=lambda team: -len(outwards[team]))
    return list(dict.fromkeys([*nearest, *(g for team in nearest for g in outwards[team])]))


def is_named(wanted: str | None, name: str | None) -> bool:
    """Whether a goal's name is that one; the last part of a name is enough."""
    return name is not None and wanted in (name, name.rsplit("/", 1)[-1])


def judge(result: Result, goals: Iterable[Goal]) -> Judgement | None:
    """Whether a result meets the goal that its scope has; None where it has none."""
    goal = goal_of(result.question, result.name, goals)
    return None if goal is None else Judgement.of(result, goal)
