"""A look at whole groups, which tells for most of their projects that there is nothing new.

Without it a sync would ask every project of an organisation, though few have changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from urllib.parse import quote

from connectors.forge.changing import OVERLAP
from connectors.gitlab.client import Client
from connectors.gitlab.values import spelt
from connectors.http.errors import Absent


def quiet(
    client: Client, path: str, groups: Mapping[str, Collection[int]], looked: datetime
) -> set[int]:
    """The projects in which no row of a list was changed since a sync that read all of them.

    A group that has more changes than it would take requests to ask its projects is not looked
    at to the end, and none of it is quiet.

    Args:
        client: Asks the host.
        path: The list, below a group.
        groups: The ids of the projects that are meant, by group.
        looked: When that sync began, by the host's clock.
    """
    found: set[int] = set()
    for group, ids in groups.items():
        changed = _changed(client, f"/groups/{quote(group, safe='')}{path}", looked, len(ids))
        if changed is not None:
            found |= set(ids) - changed
    return found


def _changed(client: Client, path: str, looked: datetime, most: int) -> set[int] | None:
    asked: Mapping[str, str] | None = {
        "scope": "all",
        "state": "all",
        "non_archived": "false",
        "order_by": "updated_at",
        "sort": "desc",
        "per_page": "100",
        "updated_after": spelt(looked - OVERLAP),
    }
    changed: set[int] = set()
    try:
        while asked is not None:
            page = client.page(path, asked)
            changed |= {row["project_id"] for row in page.rows}
            asked, most = page.following, most - 1
            if asked is not None and most <= 1:
                return None
    except Absent:
        return None  # the group itself is out of sight
    return changed
