"""Deployments by their addresses, which have a number where facts have the id that lists give."""

from __future__ import annotations

import re

from connectors.github.client import Client
from connectors.http.errors import Absent

_ADDRESS = re.compile(
    r"https?://(?P<host>[^/\s:]+)(?::\d+)?/(?:api/v3/)?(?:repos/)?"
    r"(?P<repository>[\w.-]+/[\w.-]+)/deployments/(?P<number>\d+)\b"
)


class Numbered:
    """Asks the host which deployment an address means, each address once.

    Args:
        client: Asks the host.
        host: The host as canonical names have it; addresses elsewhere are not asked for.
    """

    def __init__(self, client: Client, host: str) -> None:
        self._client = client
        self._hosts = {host, f"api.{host}"}
        self._known: dict[str, str | None] = {}

    def __call__(self, stated: str) -> str | None:
        """The deployment's id; None where the address is of none, or it may not be seen."""
        found = _ADDRESS.search(stated)
        if found is None or found["host"].lower() not in self._hosts:
            return None
        path = f"/repos/{found['repository']}/deployments/{found['number']}"
        if path not in self._known:
            self._known[path] = self._asked(path)
        return self._known[path]

    def _asked(self, path: str) -> str | None:
        try:
            return str(self._client.get(path, key="node_id").content["node_id"])
        except Absent:
            return None
