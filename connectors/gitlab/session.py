"""The connection to the host: remembers what refusals say, and keeps tokens at home."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests

from dora.errors import SourceError


class Session(requests.Session):
    """A session whose last answer's headers can be asked for: python-gitlab's errors lack them.

    It never leaves the host, as a token in a header of its own would go along. A project that was
    moved is looked for on the same host, whatever name the host gives itself.

    Attributes:
        told: The headers of the last answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.told: Mapping[str, str] = {}

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request, and remember what the answer's headers say."""
        answer = super().send(request, **kwargs)
        self.told = answer.headers
        return answer

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where a redirect leads on the same host; None if it is none.

        Raises:
            SourceError: It leads to the same address elsewhere: the host itself has moved.
        """
        target = super().get_redirect_target(resp)
        asked, given = urlsplit(resp.request.url or ""), urlsplit(target or "")
        if target is None or not given.netloc or _origin(given) == _origin(asked):
            return target
        if given.path == asked.path or "/api/v4/" not in given.path:
            resp.close()
            raise SourceError(
                f"GitLab is elsewhere: it redirects to {target.partition('?')[0]}.",
                hint="Correct url: the address that the browser shows in the end.",
            )
        return given._replace(scheme=asked.scheme, netloc=asked.netloc).geturl()


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """What must be the same for a token to be shown."""
    return parts.scheme, parts.hostname, parts.port
