"""GitHub Apps: who holds an App's key gets tokens of its installation, each good for an hour."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.forges.github_host.replies import Reply, not_found
from tests.forges.github_host.values import Token, time

HOUR = 3600
_TOKENS = re.compile(r"/app/installations/(\d+)/access_tokens")


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(slots=True)
class App:
    """An App and what it gave out.

    Attributes:
        id: Its number.
        installations: Where it is installed.
        seconds: For how long its tokens are good.
        given: The tokens it gave out, with the moment each is good until.
    """

    id: int = 7
    installations: tuple[int, ...] = (70,)
    seconds: int = HOUR
    given: list[tuple[Token, float]] = field(default_factory=list)
    _private: rsa.RSAPrivateKey = field(default_factory=_key, repr=False)

    @property
    def private_key(self) -> str:
        """Its key, as GitHub lets one download it."""
        pem = self._private.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )
        return pem.decode()

    def signed(self, shown: str, now: float) -> bool:
        """Whether what is shown was signed with its key, in its name, and is not too old."""
        try:
            told = jwt.decode(
                shown, self._private.public_key(), ["RS256"], options={"verify_exp": False}
            )
        except jwt.InvalidTokenError:
            return False
        return str(told["iss"]) == str(self.id) and told["exp"] - 600 <= now + 60

    def answer(self, method: str, path: str, now: float) -> Reply | None:
        """What GitHub says to the App itself; None where that is no question of an App."""
        match = _TOKENS.fullmatch(path)
        if method == "POST" and match:
            return self._token(int(match[1]), now)
        if method == "GET" and path == "/app/installations":
            return Reply([_installation(self, one) for one in self.installations])
        return None

    def _token(self, installation: int, now: float) -> Reply:
        if installation not in self.installations:
            return not_found()
        token = Token(f"ghs_{len(self.given) + 1:036}", "app", scopes=None, app=True)
        self.given.append((token, now + self.seconds))
        body = {
            "token": token.value,
            "expires_at": time(datetime.fromtimestamp(now + self.seconds, UTC)),
            "permissions": dict.fromkeys(sorted(token.may), "read"),
            "repository_selection": "all",
        }
        return Reply(body, 201, template="/app/installations/{installation_id}/access_tokens")

    def tokens(self, now: float) -> list[Token]:
        """The tokens that are good now."""
        return [token for token, until in self.given if now < until]


def _installation(app: App, number: int) -> dict[str, Any]:
    return {"id": number, "app_id": app.id, "account": None, "target_type": "Organization"}
