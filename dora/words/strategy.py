"""Ways of releasing as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dora.words import count, listed, number, share

TOO_FEW = "no service has deployed often enough for its way to be told"
NONE_JUDGED = "no deployment of such a service can be judged"
_SAID = {
    "windows": "release in windows",
    "trains": "by trains",
    "continuous": "continuously",
    "irregular": "without a pattern",
}


def several(ways: Mapping[str, Sequence[str]], unknown: int) -> str:
    """Which services follow which way.

    Args:
        ways: The names of the services by the way they follow.
        unknown: Of how many too little is known.
    """
    said = [f"{words}: {listed(ways[way])}" for way, words in _SAID.items() if ways.get(way)]
    if not said:
        return f"Nothing to say: {TOO_FEW}."
    rest = f" Of {count(unknown, 'service')} too little is known." if unknown else ""
    told = "; ".join(said)
    return f"{told[0].upper()}{told[1:]}.{rest}"


def one(service: str, way: str, usual_days: float, regular: float, hours: int) -> str:
    """What a service follows, and by which signs.

    Args:
        service: The service.
        way: windows, trains, continuous or irregular.
        usual_days: The usual length between its deployments.
        regular: The share of lengths within a quarter of that.
        hours: The fewest hours of the week that hold four in five of them.
    """
    days = number(usual_days)
    usual, every = ("1 day", "day") if days == "1" else (f"{days} days",) * 2
    if way == "trains":
        return (
            f"{service} releases by trains, about every {every}: {share(regular)} of the lengths"
            " between them are within a quarter of that, where one in six would be by chance."
        )
    if way == "windows":
        week = count(hours, "hour")
        return f"{service} releases in windows: four in five deployments fall into {week} a week."
    if way == "continuous":
        return f"{service} releases continuously, usually every {every}."
    return f"{service} follows no pattern; half of the lengths between are above {usual}."


PAUSES = "It pauses at the same time of several years."
