"""How long things take, with those that are not over, as sentences to be read aloud."""

from __future__ import annotations

from collections.abc import Sequence

from dora.words import count, duration, estimate, listed

_OPEN, _OVER, _GIVEN_UP = 0, 1, 2


def quantile(value: float | None, low: float | None, high: float | None) -> str:
    """A time with its interval: `2.1 d (1.9–2.4)`; `not reached` where too few are over."""
    if value is None:
        return "not reached" if low is None else f"not reached, at least {duration(low)}"
    if low is None or high is None:
        return f"{duration(value)} (at least {duration(value if low is None else low)})"
    return estimate(value, low, high, "seconds")


def rest(waiting: int, given_up: int, open_word: str) -> str:
    """What became of the rest: `; 31 are not delivered yet, and 12 were given up`."""
    told = []
    if waiting:
        told.append(f"{waiting:,} {'is' if waiting == 1 else 'are'} {_yet(open_word)}")
    if given_up:
        told.append(f"{given_up:,} {'was' if given_up == 1 else 'were'} given up")
    return f"; {', and '.join(told)}" if told else ""


def _yet(open_word: str) -> str:
    return open_word if open_word.startswith("still") else f"{open_word} yet"


def nothing(noun: str, window: str, reason: str | None) -> str:
    """Nothing began, or nothing may be told of it."""
    if reason:
        return f"What began in {window} is not told: {reason}."
    return f"No {noun} that began in {window} is known."


def few(noun: str, window: str, each: Sequence[tuple[float, int]], done: str) -> str:
    """So few that each is told: `Of 3 changes …: delivered after 2 h; still waiting after 9 d`."""
    told = []
    for outcome, became in ((_OVER, done), (_OPEN, "still waiting"), (_GIVEN_UP, "given up")):
        times = [duration(seconds) for seconds, what in each if what == outcome]
        if times:
            told.append(f"{became} after {listed(times, most=len(times))}")
    return f"Of {count(len(each), noun)} that began in {window}: {'; '.join(told)}."


def reached(many: str, window: str, done: str, time: str, others: str) -> str:
    """Half are over."""
    return f"Of {many} that began in {window}, half were {done} within {time}{others}."


def not_reached(many: str, window: str, done: str, over: tuple[int, str], others: str) -> str:
    """Fewer than half are over, so that no time can be told within which half are."""
    number, time = over
    far = time.removeprefix("not reached").removeprefix(", ")
    known = f": half will take {far}" if far else ""
    return (
        f"Of {many} that began in {window}, {number:,} {'is' if number == 1 else 'are'} {done} so "
        f"far, fewer than half{known}{others}."
    )


def compared(
    title: str,
    noun: str,
    verdict: str,
    now: tuple[str, str, int],
    before: tuple[str, str, int],
    doubts: Sequence[str] = (),
) -> str:
    """Whether what began in one window takes as long as what began in another.

    Args:
        title: The metric.
        noun: What is counted.
        verdict: better, worse, no evidence, too little data, or withheld.
        now: The window, its median as text, and how many began in it.
        before: The same of what it is held against.
        doubts: Why no verdict is given.
    """
    (window, time, n), (window_before, time_before, n_before) = now, before
    values = f"median {time} for {window}, {time_before} for {window_before}"
    if verdict == "too little data":
        return (
            f"{title}, with what is not over: too little data to compare {count(n, noun)} that "
            f"began in {window} with {n_before:,} in {window_before}."
        )
    if verdict == "withheld":
        why = f": {listed(doubts)}" if doubts else ""
        return (
            f"{title}, with what is not over: no verdict ({values}), as too much of the record is "
            f"missing or wrong{why}."
        )
    if verdict == "no evidence":
        return f"{title}, with what is not over: no evidence of a change ({values})."
    quicker = "less" if verdict == "better" else "more"
    return (
        f"{title}, with what is not over, got {verdict}: what began in {window} takes {quicker} "
        f"time than what began in {window_before} ({values})."
    )
