"""Issues that are incidents, with their reopenings and the causes they state."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.forge.changing import digest
from connectors.forge.incidents import Issue, Rules, Turn
from connectors.gitlab.client import Client
from connectors.gitlab.judging import Forbidden
from connectors.gitlab.listing import Listing
from connectors.gitlab.options import IncidentOptions
from connectors.gitlab.values import JSON, Project, each, instant, time
from connectors.http.errors import Absent
from dora.connector import Checkpoint, Cursor, Item, Only, Removed
from dora.patterns import wildcard
from dora.records import Incident, IncidentCause

_ORIGINAL = re.compile(r"/projects/(\d+)/issues/(\d+)$")
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Incidents:
    """The incidents of projects.

    An incident is known by its project and its number there, which is how issues refer to each
    other.

    Attributes:
        client: Asks the host.
        options: Which issues are incidents.
        since: The time before which nothing is read.
        service: The service they concern, where it is stated.
    """

    client: Client
    options: IncidentOptions
    since: datetime | None
    service: str | None

    @property
    def asked(self) -> str:
        """What the facts depend on beside the source."""
        return digest([self.options.model_dump(), self.service, str(self.since)])

    def read(self, project: Project, cursor: Cursor | None, whole: bool = False) -> Iterator[Item]:
        """What changed in one project since the cursor, which keeps who states a cause."""
        state = dict(cursor or {})
        causing: set[str] = set(state.pop("causing", ()) if not whole else ())

        def facts(rows: Sequence[JSON], fresh: bool) -> Iterator[Item]:
            place = f"{project.path} issue"
            for item in each(Incident, place, rows, lambda row: self._items(project, row, fresh)):
                if isinstance(item, IncidentCause):
                    causing.add(item.incident)
                yield item

        asked = {"scope": "all", "state": "all"}
        listed = Listing(self.client, project, "/issues", self.since, asked)
        for item in listed.read(state or None, facts, self.asked, whole=whole):
            if isinstance(item, Checkpoint):
                item = Checkpoint({**item.cursor, "causing": sorted(causing)}, part=item.part)
            yield item

    def _items(self, project: Project, row: JSON, fresh: bool) -> Iterator[Item]:
        rules = Rules(self.options, self.service)
        issue = self._issue(project, row, ())
        causes: list[IncidentCause] = []
        if rules.counts(issue):
            turned = self._issue(project, row, self._turns(project, row))
            causes = rules.causes(turned)
            yield rules.incident(turned)
            yield from causes
        elif not fresh:
            yield Removed(Incident, ({"id": issue.id},))
        if not fresh:
            keys = tuple({"incident": issue.id, "cause": one.cause} for one in causes)
            yield Only(IncidentCause, {"incident": issue.id}, keys)

    def _turns(self, project: Project, row: JSON) -> tuple[Turn, ...]:
        """Every closing and reopening: the issue itself forgets them when it is opened again."""
        path = f"{project.api}/issues/{row['iid']}/resource_state_events"
        try:
            events = [one for rows in self.client.pages(path) for one in rows]
        except Forbidden:
            raise
        except Absent:
            return ()  # an old host, or deleted since it was listed
        turned = sorted(events, key=lambda one: (str(one["created_at"]), int(one["id"])))
        return tuple(
            Turn(instant(one["created_at"]), "closed" if one["state"] == "closed" else "open")
            for one in turned
            if one["state"] in ("closed", "reopened", "opened")
        )

    def _issue(self, project: Project, row: JSON, turns: tuple[Turn, ...]) -> Issue:
        closed = row["state"] == "closed"
        labels = [str(label) for label in row["labels"]]
        severity = str(row.get("severity") or _UNKNOWN).lower()
        original = _ORIGINAL.search((row.get("_links") or {}).get("closed_as_duplicate_of") or "")
        given_up = wildcard(self.options.not_planned_labels)
        return Issue(
            id=f"{project.id}#{row['iid']}",
            repository=project.repository,
            title=row["title"],
            body=row.get("description") or "",
            labels=labels,
            type=row.get("issue_type") or str(row.get("type") or "").lower() or None,
            severity=severity if severity != _UNKNOWN else None,
            opened=instant(row["created_at"]),
            closed=closed,
            closed_at=time(row.get("closed_at")),
            turns=turns,
            not_planned=any(given_up.match(label) for label in labels),
            duplicate_of=f"{original[1]}#{original[2]}" if closed and original else None,
            status=row["state"],
            url=row["web_url"],
        )
