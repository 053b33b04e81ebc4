"""Issues that are incidents, with every closing and reopening."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from connectors.forge.changing import OVERLAP, Changing, Page, digest
from connectors.forge.incidents import Issue, Rules, Turn
from connectors.forge.options import IncidentOptions
from connectors.github import queries
from connectors.github.client import Client
from connectors.github.numbered import Numbered
from connectors.github.paging import PARTLY, Size, after, hidden, nodes, shown, whole
from connectors.github.values import Place, instant, label_names, time
from dora.connector import Checkpoint, Cursor, Item, Only, Rejected, Removed
from dora.records import Incident, IncidentCause

JSON: TypeAlias = dict[str, Any]

_LISTS = ("labels", "timelineItems")


@dataclass(frozen=True, slots=True)
class Incidents:
    """The incidents of repositories.

    Attributes:
        client: Asks the host.
        options: Which issues are incidents.
        size: How many to ask for at once.
        since: The time before which nothing is read.
        service: The service they concern, where it is stated.
    """

    client: Client
    options: IncidentOptions
    size: Size
    since: datetime | None
    service: str | None

    def read(
        self, place: Place, cursor: Cursor | None, kept: Mapping[str, Any], *, whole: bool = False
    ) -> Iterator[Item]:
        """What changed in one repository since the cursor, or all of it.

        The cursor keeps which incidents state a cause, so that causes go with them.

        Args:
            place: The repository.
            cursor: Where it stands.
            kept: What else its cursor says.
            whole: Whether all is read, though some of it is known.
        """
        stating = dict.fromkeys((cursor or {}).get("stating", ()))
        seen: set[str] = set()
        numbered = Numbered(self.client, place.repository.partition("/")[0])
        rules = Rules(self.options, self.service, numbered)
        types: dict[int, str] = {}
        if rules.looks_at_types:
            known = None if whole or "reading" in (cursor or {}) else (cursor or {}).get("newest")
            types = self._types(place, known)

        def pages(begin: str | None) -> Page:
            variables = {"repository": place.id, "after": begin}
            connection = self.client.part(
                queries.ISSUES, variables, "node", "issues", size=self.size
            )
            return Page(nodes(connection), after(connection), hidden(connection))

        def facts(rows: Sequence[JSON], first: bool) -> Iterator[Item]:
            gone = []
            for row in rows:
                if not shown(row, _LISTS):
                    yield Rejected(Incident, f"{place.path}#{row['number']}", PARTLY)
                    continue
                issue = self._issue(place, row, types.get(row["number"]))
                seen.add(issue.id)
                if not rules.counts(issue):
                    gone.append({"id": issue.id})
                yield from self._facts(rules, issue, stating)
            if gone and not first and not whole:
                yield Removed(Incident, tuple(gone))

        asked = digest([self.options.model_dump(), self.service])
        changing = Changing(place.repository, pages, facts, self.since, asked=asked)
        if not whole and changing.settled(cursor, place.issue_changed):
            yield Checkpoint(dict(cursor or {}), part=place.repository)
            return
        for item in changing.read(cursor, whole=whole):
            if isinstance(item, Checkpoint):
                if whole and "reading" not in item.cursor:
                    yield from self._deleted(seen, stating)
                state = {**item.cursor, **kept, "stating": sorted(stating)}
                yield Checkpoint(state, part=item.part)
            else:
                yield item

    def _deleted(self, seen: set[str], stating: dict[str, None]) -> Iterator[Item]:
        """That the causes of incidents which are no longer there are gone with them."""
        for id_ in [one for one in stating if one not in seen]:
            del stating[id_]
            yield Only(IncidentCause, {"incident": id_}, ())

    def _facts(self, rules: Rules, issue: Issue, stating: dict[str, None]) -> Iterator[Item]:
        counts = rules.counts(issue)
        causes = rules.causes(issue) if counts else []
        if counts:
            yield rules.incident(issue)
            yield from causes
        if issue.id in stating:
            keys = tuple({"cause": one.cause} for one in causes)
            yield Only(IncidentCause, {"incident": issue.id}, keys)
        if causes:
            stating[issue.id] = None
        else:
            stating.pop(issue.id, None)

    def _types(self, place: Place, newest: str | None) -> dict[int, str]:
        """The types of issues that have one, by number; GraphQL does not tell them.

        Args:
            place: The repository.
            newest: The time of the newest issue that is known; those changed since are listed.
        """
        asked: JSON = {"state": "all", "type": "*"}
        floor = [instant(newest) - OVERLAP] if newest else []
        if since := max([*floor, *([self.since] if self.since else [])], default=None):
            asked["since"] = f"{since:%Y-%m-%dT%H:%M:%SZ}"
        pages = self.client.listed(f"/repos/{place.path}/issues", asked)
        rows = (row for page in pages for row in page)
        return {int(row["number"]): row["type"]["name"] for row in rows if row.get("type")}

    def _issue(self, place: Place, row: JSON, type_: str | None) -> Issue:
        labels = whole(self.client, row["labels"], queries.MORE_ISSUE_LABELS, row["id"], "labels")
        turns = whole(
            self.client, row["timelineItems"], queries.MORE_TURNS, row["id"], "timelineItems"
        )
        closed = row["state"] == "CLOSED"
        reason = row["stateReason"] if closed else None
        originals = [one["canonical"] for one in turns if "canonical" in one]
        return Issue(
            id=row["id"],
            repository=place.repository,
            title=row["title"],
            body=row["body"] or "",
            labels=label_names(labels),
            type=type_,
            severity=None,
            opened=instant(row["createdAt"]),
            closed=closed,
            closed_at=time(row["closedAt"]),
            turns=[turn for one in turns if (turn := _turn(one)) is not None],
            not_planned=reason == "NOT_PLANNED",
            duplicate_of=(originals[-1] or {}).get("id") if originals else None,
            status=(reason or row["state"]).lower(),
            url=row["url"],
        )


def _turn(row: JSON) -> Turn | None:
    kind = row["__typename"]
    if kind == "ClosedEvent":
        return Turn(instant(row["createdAt"]), "closed")
    return Turn(instant(row["createdAt"]), "open") if kind == "ReopenedEvent" else None
