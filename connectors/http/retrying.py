"""Asking again until a page is whole: what an error means is judged, and every loop is bounded."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from connectors.http.pacing import Pace
from connectors.http.spending import Spent
from connectors.http.tokens import Token, Tokens
from dora.errors import DoraError, SourceError
from dora.patience import Patience

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """The same may succeed in a moment."""

    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """This token may ask again after so many seconds; another one may ask now."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The host does not accept this token; another one may be good."""

    why: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Asking again would be of no use."""

    error: DoraError


Verdict: TypeAlias = Retry | Wait | Refused | GiveUp
Judge: TypeAlias = Callable[[Exception], Verdict | None]
"""Says what an error means; None where it is none of the host's, but a fault of ours."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How often a page is asked for.

    Attributes:
        attempts: How often in all, where the host fails.
        first: Seconds before the second time; twice as many before each that follows.
        longest: Seconds that are never exceeded.
        waits: How often a page may be told to wait, whoever asks for it.
    """

    attempts: int = 6
    first: float = 1.0
    longest: float = 60.0
    waits: int = 20

    def pause(self, failed: int) -> float:
        """Seconds to pause after so many failures, spread so that readers do not come at once."""
        full = min(self.longest, self.first * 2.0 ** (failed - 1))
        return full * random.uniform(0.5, 1.0)


@dataclass(slots=True)
class Caller:
    """Asks a host for one page after another, from several threads, on behalf of several tokens.

    Attributes:
        tokens: What to show the host.
        patience: How long to wait for it.
        pace: How fast to ask.
        spent: Where requests are counted.
        policy: How often to ask for a page.
    """

    tokens: Tokens
    patience: Patience
    pace: Pace = field(default_factory=Pace)
    spent: Spent = field(default_factory=Spent)
    policy: Policy = field(default_factory=Policy)

    def call(self, attempt: Callable[[Token | None], T], judge: Judge) -> T:
        """What an attempt gives, made again where that may help.

        Args:
            attempt: Asks for the page, showing the host the token it is given.
            judge: Says what an error means.

        Raises:
            SourceError: The host refuses, or does not answer whatever is tried.
            WaitEnded: It wants to be left alone for longer than may be waited.
        """
        failed = waited = 0
        while True:
            token = self.tokens.next(self.patience)
            self.pace.wait(self.patience)
            self.spent.add("requests")
            try:
                return attempt(token)
            except Exception as error:  # noqa: BLE001 - judged, and raised where it is a fault
                verdict = self._judged(judge, error)
            match verdict:
                case Retry(why):
                    failed += 1
                    if failed >= self.policy.attempts:
                        raise self._gave_up(why, failed)
                    self.patience.wait(self.policy.pause(failed), self.scrub(why))
                case Wait(seconds, why):
                    waited += 1
                    if waited > self.policy.waits:
                        raise self._gave_up(why, waited)
                    self._rest(token, seconds, self.scrub(why))
                case Refused(why):
                    self.tokens.refuse(token, self.scrub(why))
                    if token is None:
                        raise _wants_a_token(self.scrub(why))
                case GiveUp(given):
                    raise self._without_secrets(given) from None

    def scrub(self, text: str) -> str:
        """A text without any secret."""
        return self.tokens.scrubber.scrub(text)

    def _judged(self, judge: Judge, error: Exception) -> Verdict:
        """What to do about an error; one that is not understood is raised, but without secrets."""
        if isinstance(error, DoraError):
            raise self._without_secrets(error)
        verdict = judge(error)
        if verdict is not None:
            return verdict
        said = f"{type(error).__name__}: {error}"
        if self.scrub(said) != said:
            raise SourceError(
                self.scrub(said), hint="See that the secret is whole, with nothing around it."
            ) from None
        raise error

    def _without_secrets(self, error: DoraError) -> DoraError:
        """An error that says what the host says, but for secrets: some hosts repeat them."""
        error.message = self.scrub(error.message)
        error.args = (error.message,)
        return error

    def _rest(self, token: Token | None, seconds: float, why: str) -> None:
        if not self.tokens.rest(token, self.patience.now() + seconds, why):
            self.patience.wait(seconds, why)

    def _gave_up(self, why: str, times: int) -> SourceError:
        return SourceError(
            f"The host did not answer as it should, {times} times: {self.scrub(why)}.",
            hint="What was read is kept. Sync again later; -v shows what was asked.",
        )


def _wants_a_token(why: str) -> SourceError:
    return SourceError(
        f"The host wants a token ({why}).", hint="Name the variable that holds one: token_env."
    )
