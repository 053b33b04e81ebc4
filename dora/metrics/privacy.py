"""Numbers about a few people are not shown: which cells, and which others would give them away.

A cell is a team in a period. Services are systems, not people, and are always shown. Fewer than k
distinct authors make a cell too small; where it could be worked out as a total less the cells that
are shown, the smallest of these goes too (complementary suppression; Cox, Suppression Methodology
and Statistical Disclosure Control, JASA 75, 1980).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dora import words
from dora.metrics.grid import WHOLE

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from dora.metrics.question import Question
    from dora.metrics.scopes import Scope

    Bools: TypeAlias = NDArray[np.bool_]
    Ints: TypeAlias = NDArray[np.int64]

_AUTHORS = """
select
    s.first_cell + c.period as cell,
    count(distinct a.author) as authors
from change_times d
join change_authors a on a.change_id = d.change_id
join scope_services s on s.service = d.service
join guarded_scopes g on g.scope_id = s.scope_id
join calendar c on c.day = dora_day(d.delivered_at) and c.period >= s.from_period
where d.delivered_at is not null
  and coalesce(d.left_out, '') not in ('before the record', 'bot')
  and s.from_day <= dora_day(d.delivered_at) and dora_day(d.delivered_at) < s.until_day
group by s.first_cell + c.period
"""
"""How many people wrote what was delivered to a scope in a period."""


_BEGINNERS = """
select count(distinct a.author) as authors
from change_times d
join change_authors a on a.change_id = d.change_id
join scope_services s on s.service = d.service and s.scope_id = 0
join calendar c on c.day = dora_day(d.committed_at) and c.grain = 'window'
where coalesce(d.left_out, '') not in ('before the record', 'bot')
"""
"""How many people began a change in the window."""


def is_group(scope: Scope) -> bool:
    """Whether a scope stands for people: teams, not services."""
    return scope.team is not None


def hidden(question: Question, n: Ints) -> Bools | None:
    """Which cells are not shown; None where no scope stands for people.

    Args:
        question: What is asked.
        n: How many records each cell has; an empty one gives nobody away.
    """
    import numpy as np

    guarded = np.array([is_group(scope) for scope in question.scopes], bool)
    if question.least_authors <= 1 or not guarded.any():
        return None
    shape = (len(question.scopes), len(question.grid.periods))
    authors = _authors(question, guarded).reshape(shape)
    told = n.reshape(shape) > 0
    small = guarded[:, None] & told & (authors > 0) & (authors < question.least_authors)
    grains = question.grid.periods["grain"].to_numpy(object)
    _complement(small, authors, told & guarded[:, None], grains)
    return small.reshape(-1)


def veiled(cells: pd.DataFrame, which: Bools | None, least: int) -> pd.DataFrame:
    """The cells without the numbers of those that are not shown; their reason says so."""
    if which is None or not which.any():
        return cells
    shown = cells.copy()
    for name in list(shown)[list(shown).index("partial") + 1 :]:
        if shown[name].dtype.kind in "iuf":
            numbers = shown[name].convert_dtypes()
            shown[name] = numbers.mask(which)
    shown.loc[which, "reason"] = words.few_people(least)
    return shown


def gives_habits_away(question: Question) -> bool:
    """Whether hours of the week would tell when a few people work: of a team or a service."""
    import numpy as np

    pooled = question.pooled()
    scope = pooled.scopes[0]
    if scope.kind == "all" or pooled.least_authors <= 1:
        return False
    authors = int(_authors(pooled, np.ones(1, bool))[0])
    return 0 < authors < pooled.least_authors


def few_began(question: Question) -> bool:
    """Whether too few people are behind what a team began in the window for it to be followed."""
    pooled = question.pooled()
    if pooled.least_authors <= 1 or not is_group(pooled.scopes[0]):
        return False
    pooled.tables.need("change_times", "change_authors")
    authors = int(pooled.query(_BEGINNERS)["authors"].iloc[0])
    return 0 < authors < pooled.least_authors


def _authors(question: Question, guarded: Bools) -> Ints:
    """The distinct authors of every cell of the guarded scopes."""
    import numpy as np
    import pandas as pd

    question.tables.need("change_times", "change_authors")
    scopes = pd.DataFrame({"scope_id": np.flatnonzero(guarded)})
    question.tables.load("guarded_scopes", scopes, {"scope_id": "INTEGER"})
    cells = question.query(_AUTHORS)
    laid: Ints = question.grid.spread(cells, ("authors",))["authors"]
    return laid


def _complement(
    small: Bools, authors: Ints, candidates: Bools, grains: NDArray[np.object_]
) -> None:
    """Hide further cells until no hidden one is the only one of a sum that is shown.

    Each row is a scope and each column a period; the window's is the sum of a scope's others, and
    the first scope that of the teams.
    """
    import numpy as np

    numbers = np.arange(small.size).reshape(small.shape)
    whole = int(np.flatnonzero(grains == WHOLE)[0])
    changed = True
    while changed:
        changed = False
        periods = [numbers[1:, period] for period in range(small.shape[1])]
        of_scopes = [
            numbers[scope, grains == grain]
            for scope in np.flatnonzero(~small[:, whole])
            for grain in sorted(set(grains) - {WHOLE})
        ]
        for line in (*periods, *of_scopes):
            changed |= _hide_another(line, small.ravel(), authors.ravel(), candidates.ravel())


def _hide_another(line: Ints, small: Bools, authors: Ints, candidates: Bools) -> bool:
    """Where one cell of a line is hidden, hide the next smallest; tells whether it did."""
    others = line[candidates[line] & ~small[line]]
    if int(small[line].sum()) != 1 or not len(others):
        return False
    small[others[authors[others].argmin()]] = True
    return True
