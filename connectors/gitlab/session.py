"""The connection to the host: remembers what refusals say, and keeps tokens at home."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from dora.errors import SourceError


class Session(requests.Session):
    """A session whose last answer's headers can be asked for: python-gitlab's errors lack them.

    Attributes:
        told: The headers of the last answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.told: Mapping[str, str] = {}

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request; of another host's answer nothing is kept."""
        answer = super().send(request, **kwargs)
        self.told = answer.headers
        return answer

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Follow a redirect on the same host only: a token in a header of its own would go along.

        Raises:
            SourceError: The host sends elsewhere.
        """
        after = prepared_request.url or ""
        if _origin(response.request.url or "") != _origin(after):
            raise SourceError(
                f"GitLab is elsewhere: it redirects to {after.partition('?')[0]}.",
                hint="Correct url: the address that the browser shows in the end.",
            )


def _origin(address: str) -> tuple[str, str | None, int | None]:
    """What must be the same for a token to be shown."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port
