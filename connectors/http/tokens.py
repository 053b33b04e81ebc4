"""What is shown to a host: tokens found where people keep them, several of them taking turns."""

from __future__ import annotations

import netrc
import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectors.http.scrubbing import Scrubber
from dora.errors import SourceError
from dora.patience import Patience

_ASK_SECONDS = 10


class Token:
    """One token; what it is stays out of every text made of it.

    Args:
        name: What people call it: the variable it comes from, say.
        value: What it is, or a way to have it anew where it is only good for a while.
    """

    def __init__(self, name: str, value: str | Callable[[], str]) -> None:
        self.name = name
        self._value = value

    def __repr__(self) -> str:
        return f"Token({self.name!r})"

    def value(self) -> str:
        """What is shown to the host."""
        return self._value if isinstance(self._value, str) else self._value()


@dataclass(slots=True)
class _Standing:
    """How a token stands with the host."""

    token: Token
    rests_until: float = 0.0
    why: str = ""
    refused: str | None = None


@dataclass(slots=True)
class Tokens:
    """Several tokens that take turns; those that must rest, or were refused, are passed over.

    Args:
        tokens: What there is; none for what a host shows to everybody.
        scrubber: Told of every value that is handed out.
    """

    tokens: Iterable[Token]
    scrubber: Scrubber = field(default_factory=Scrubber)
    _all: list[_Standing] = field(init=False, repr=False)
    _turn: int = field(default=0, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        """Let all of them begin rested."""
        self.tokens = tuple(self.tokens)
        self._all = [_Standing(token) for token in self.tokens]

    def next(self, patience: Patience) -> Token | None:
        """The token whose turn it is, waited for where all must rest; None where there are none.

        Raises:
            SourceError: All of them were refused.
            WaitEnded: All of them rest for longer than may be waited.
        """
        if not self._all:
            return None
        while True:
            with self._lock:
                standing, left = self._choose(patience.now())
            if left <= 0:
                self.scrubber.learn(standing.token.value())
                return standing.token
            patience.wait(left, standing.why)

    def rest(self, token: Token | None, until: float, why: str) -> bool:
        """Let a token rest until a moment of the patience's clock; gives whether it is known."""
        with self._lock:
            for one in self._all:
                if one.token is token:
                    if until > one.rests_until:
                        one.rests_until, one.why = until, why
                    return True
        return False

    def refuse(self, token: Token | None, why: str) -> bool:
        """Do without a token that the host refuses; gives whether another one is left."""
        with self._lock:
            for one in self._all:
                if one.token is token:
                    one.refused = why
            return any(one.refused is None for one in self._all)

    @property
    def refused(self) -> list[tuple[str, str]]:
        """The names of tokens that the host refuses, and why."""
        return [(one.token.name, one.refused) for one in self._all if one.refused is not None]

    def _choose(self, now: float) -> tuple[_Standing, float]:
        """Who is next, and for how long that one must rest still."""
        good = [one for one in self._all if one.refused is None]
        if not good:
            said = "; ".join(f"{name}: {why}" for name, why in self.refused)
            raise SourceError(
                f"No token is accepted ({said}).",
                hint="Put a new one into that variable; `dora check` tries it.",
            )
        self._turn += 1
        order = good[self._turn % len(good) :] + good[: self._turn % len(good)]
        chosen = min(order, key=lambda one: max(one.rests_until, now))
        return chosen, chosen.rests_until - now


def from_variables(names: Sequence[str], *, required: bool) -> list[Token]:
    """The tokens in these environment variables, or in the files that `NAME_FILE` names.

    Args:
        names: The variables.
        required: Whether each of them must be set.

    Raises:
        SourceError: A variable that must be set is not, or a file cannot be read.
    """
    found = []
    for name in names:
        value = secret(name)
        if value:
            found.append(Token(name, value))
        elif required:
            raise missing(name)
    return found


def secret(name: str) -> str:
    """What a variable holds, or the file that `NAME_FILE` names; '' if neither is set.

    Raises:
        SourceError: The file cannot be read.
    """
    value = os.environ.get(name, "").strip()
    path = os.environ.get(f"{name}_FILE", "").strip()
    if value or not path:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        kind = type(error).__name__  # a decoding error would show what is in the file
        raise SourceError(
            f"The file that {name}_FILE names cannot be read: {kind}.",
            hint=f"Correct {name}_FILE, or put the token into {name}.",
        ) from None


def missing(name: str) -> SourceError:
    """What to say where a variable that should hold a secret is not set."""
    return SourceError(
        f"The environment variable {name} is not set, nor is {name}_FILE.",
        hint=f"Put the secret into {name}, or the path of a file with it into {name}_FILE.",
    )


def from_netrc(host: str) -> list[Token]:
    """The token that the user's netrc file has for a host; a broken file has none."""
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        entry = netrc.netrc(str(path)).authenticators(host.partition(":")[0])
    except (OSError, netrc.NetrcParseError):
        return []
    return [Token(str(path), entry[2])] if entry and entry[2] else []


def from_command(*command: str) -> list[Token]:
    """The token that another program knows, such as `gh auth token`; none where it is not there."""
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=_ASK_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return []
    value = ran.stdout.strip()
    return [Token(" ".join(command[:3]), value)] if ran.returncode == 0 and value else []
