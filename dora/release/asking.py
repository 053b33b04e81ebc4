"""The analyses as verbs: what `q.release` is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dora import release, words
from dora.release.base import Answer, Asked
from dora.release.plan import Plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.config import Config
    from dora.metrics.question import Question


class Releases:
    """How releases are managed, for one window and scope.

    Args:
        question: The window, scope and rules.
        config: Whose calendar it is held against.
    """

    def __init__(self, question: Question, config: Config) -> None:
        plan = Plan(config.calendar, config.base, question)
        self._asked = Asked(question, config.calendar, plan)

    def ask(self, name: str) -> Answer:
        """The answer of an analysis by its name.

        Raises:
            UsageError: There is none of that name.
        """
        return release.find(name).ask(self._asked)

    def plot(self, ax: Axes | None = None, *, theme: str = "light") -> Axes:
        """Draw when we ship, with release windows and freezes drawn in."""
        from dora.release import pictures

        return pictures.calendar(self._asked, ax, theme=theme)

    @property
    def planned(self) -> bool:
        """Whether a calendar says when releases are meant to happen."""
        return any(self._asked.plan.governs(sort) for sort in ("window", "train", "freeze"))

    def __getattr__(self, name: str) -> Callable[[], Answer]:
        if name not in release.NAMES:
            raise AttributeError(f"There is no analysis {name!r}; {', '.join(release.NAMES)}")
        return lambda: self.ask(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *release.NAMES})

    def __repr__(self) -> str:
        asked = words.listed([f"{name}()" for name in release.NAMES], most=len(release.NAMES))
        return f"Releases of {self._asked.question.scopes[0].label}; ask {asked}"
