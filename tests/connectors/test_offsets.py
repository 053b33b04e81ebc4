"""Lists paged by offset lose no row, whatever goes away while they are read."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.http.offsets import by_offset


@given(
    rows=st.integers(0, 40),
    size=st.integers(2, 7),
    gone=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 39)), max_size=12),
    come=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 39)), max_size=6, unique=True),
)
def test_every_row_that_stays_is_read_once(
    rows: int, size: int, gone: list[tuple[int, int]], come: list[tuple[int, int]]
) -> None:
    """Rows go, and others come anywhere in the order, before the nth page."""
    there = [{"place": float(number)} for number in range(rows)]
    asked = 0

    def ask(start: int) -> tuple[list[dict[str, Any]], bool]:
        nonlocal asked, there
        asked += 1
        assert asked <= 13 * (rows + 13), "there is no end"
        leaving = {float(number) for page, number in gone if page == asked}
        coming = [{"place": number + asked / 100} for page, number in come if page == asked]
        there = sorted(
            [row for row in there if row["place"] not in leaving] + coming,
            key=lambda row: row["place"],
        )
        return there[start : start + size], start + size < len(there)

    found = [row["place"] for page in by_offset(ask, lambda row: row["place"], size=size)
             for row in page]  # fmt: skip
    staying = {float(number) for number in range(rows)} - {float(number) for _, number in gone}
    assert staying <= set(found)
    assert len(found) == len(set(found))


def test_a_host_that_gives_one_row_at_a_time_comes_to_an_end() -> None:
    there = [{"place": number} for number in range(5)]
    pages = by_offset(lambda at: (there[at : at + 1], at < 4), lambda row: row["place"], size=100)
    assert [row["place"] for page in pages for row in page] == [0, 1, 2, 3, 4]
