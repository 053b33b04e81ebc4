"""Jira made for tests, Cloud or Data Center: only what is documented of it, refusing the rest."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.connectors.hosts import Reply
from tests.connectors.sites.site import Asked, Site

STATUSES = {
    "1": ("Open", "new"),
    "3": ("In Progress", "indeterminate"),
    "4": ("Reopened", "new"),
    "10001": ("Mitigated", "indeterminate"),
    "10002": ("Done", "done"),
}
IDS = {name: id_ for id_, (name, _) in STATUSES.items()}
FIELDS = [
    {"id": "summary", "name": "Summary", "custom": False, "schema": {"type": "string"}},
    {"id": "customfield_10050", "name": "Mitigated at", "custom": True,
     "schema": {"type": "datetime"}},
    {"id": "customfield_10051", "name": "Began at", "custom": True, "schema": {"type": "datetime"}},
    {"id": "customfield_10052", "name": "Severity", "custom": True, "schema": {"type": "option"}},
    {"id": "customfield_10053", "name": "Service", "custom": True, "schema": {"type": "array"}},
    {"id": "customfield_10054", "name": "Due day", "custom": True, "schema": {"type": "date"}},
    {"id": "customfield_10055", "name": "Twice", "custom": True, "schema": {"type": "string"}},
    {"id": "customfield_10056", "name": "Twice", "custom": True, "schema": {"type": "string"}},
]  # fmt: skip
LINKS = {"Duplicate": ("is duplicated by", "duplicates"), "Cause": ("is caused by", "causes")}
PLAIN = {"summary", "description", "status", "created", "updated", "resolutiondate", "resolution",
         "priority", "labels", "components", "issuelinks"}  # fmt: skip


@dataclass
class Issue:
    """An issue as somebody sees it on the page; `changes` is its history."""

    key: str
    created: datetime
    summary: str = "It is broken"
    description: str = ""
    labels: list[str] = field(default_factory=list)
    components: list[str] = field(default_factory=list)
    priority: str | None = "High"
    resolution: str | None = None
    custom: dict[str, Any] = field(default_factory=dict)
    links: list[tuple[str, bool, str]] = field(default_factory=list)  # type, outward, other key
    linked: str = "Another issue"  # what the linked issues are called
    changes: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    status: str = "Open"
    resolutiondate: datetime | None = None
    updated: datetime = field(default=datetime(1970, 1, 1, tzinfo=UTC))
    id: str = ""

    def __post_init__(self) -> None:
        self.id = self.id or str(10_000 + int(self.key.split("-")[1]))
        self.updated = max(self.updated, self.created)

    def move(self, at: datetime, status: str) -> Issue:
        """Let it have another status from then on."""
        self.changes.append((at, "status", self.status, status))
        self.status = status
        self.resolutiondate = at if STATUSES[IDS[status]][1] == "done" else None
        self.updated = max(self.updated, at)
        return self

    def touch(self, at: datetime, **changed: Any) -> Issue:
        """Change something else of it."""
        for name, value in changed.items():
            self.changes.append((at, name, str(getattr(self, name)), str(value)))
            setattr(self, name, value)
        self.updated = max(self.updated, at)
        return self


class Jira(Site):
    """One site, with one user whose token it knows."""

    def __init__(self, *, cloud: bool, zone: str = "UTC", size: int = 100) -> None:
        super().__init__()
        self.cloud = cloud
        self.zone = zone
        self.told: str | None = None  # a zone that only this site knows
        self.size = size
        self.issues: dict[str, Issue] = {}
        self.token = "jira-token-Zx81"
        self.email = "robot@acme.example"
        self.embedded = 10_000  # histories that a search gives along
        self.changes = 40  # of many issues, in one answer
        self.pages_of_changes = True
        self.fold = 0  # which of two hours of the same name a time in JQL means
        self.forbidden: set[str] = set()

    def add(self, *issues: Issue) -> None:
        """File issues."""
        self.issues.update((issue.id, issue) for issue in issues)

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/rest/api/2/serverInfo":  # in Cloud too
            kind = "Cloud" if self.cloud else "Server"
            return Reply({"baseUrl": self.url, "deploymentType": kind, "version": "10.3.0"})
        if asked.headers.get("authorization") != self._authorization():
            return Reply({"errorMessages": ["You are not authenticated."]}, 401)
        version = "3" if self.cloud else "2"
        path = asked.path.removeprefix(f"/rest/api/{version}")
        if path in self.forbidden:
            return Reply({"errorMessages": ["You may not do that."]}, 403)
        zone = self.told or self.zone
        routes: dict[str, Callable[[Asked], Reply]] = {
            "/myself": lambda _: Reply({"displayName": "Robot", "timeZone": zone}),
            "/field": lambda _: Reply(FIELDS),
            "/status": lambda _: Reply([
                {"id": id_, "name": name, "statusCategory": {"key": category}}
                for id_, (name, category) in STATUSES.items()
            ]),
        }  # fmt: skip
        routes |= (
            {"/search/jql": self._by_token, "/changelog/bulkfetch": self._changes_of_many}
            if self.cloud
            else {"/search": self._by_offset}
        )
        one = re.fullmatch(r"/issue/([^/]+)(/changelog)?", path)
        if one and not self.cloud:
            return self._one(asked, one[1], whole=not one[2])
        return routes[path](asked) if path in routes else Reply({"message": "null"}, 404)

    def _authorization(self) -> str:
        if not self.cloud:
            return f"Bearer {self.token}"
        return "Basic " + base64.b64encode(f"{self.email}:{self.token}".encode()).decode()

    # --- searching

    def _found(self, jql: str) -> list[Issue] | str:
        query, _, order = jql.partition(" ORDER BY ")
        if order not in ("created ASC, key ASC", ""):
            return f"Cannot order by {order}"
        try:
            fits = _query(query, self._instant)
        except ValueError as error:
            return str(error)
        found = [issue for issue in self.issues.values() if fits(issue)]
        return sorted(found, key=lambda issue: (issue.created, int(issue.id)))

    def _instant(self, text: str) -> datetime:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", text):
            raise ValueError(f"Date value '{text}' is invalid. Valid: 'yyyy-MM-dd HH:mm'")
        local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(self.zone), fold=self.fold)
        return local.astimezone(UTC)

    def _by_token(self, asked: Asked) -> Reply:
        body = asked.body
        assert set(body) <= {"jql", "maxResults", "fields", "nextPageToken", "expand"}
        found = self._found(body["jql"])
        if isinstance(found, str):
            return Reply({"errorMessages": [found]}, 400)
        if body.get("nextPageToken"):
            created, id_ = json.loads(base64.b64decode(body["nextPageToken"]))
            after = (datetime.fromisoformat(created), int(id_))
            found = [issue for issue in found if (issue.created, int(issue.id)) > after]
        size = min(self.size, body["maxResults"])
        rows, more = found[:size], found[size:]
        content: dict[str, Any] = {"issues": [self._row(one, body) for one in rows]}
        content["isLast"] = not more
        if more:
            place = json.dumps([rows[-1].created.isoformat(), rows[-1].id]).encode()
            content["nextPageToken"] = base64.b64encode(place).decode()
        return Reply(content)

    def _by_offset(self, asked: Asked) -> Reply:
        body = asked.body
        assert set(body) <= {"jql", "startAt", "maxResults", "fields", "expand"}
        found = self._found(body["jql"])
        if isinstance(found, str):
            return Reply({"errorMessages": [found]}, 400)
        start, size = body["startAt"], min(self.size, body["maxResults"])
        rows = [self._row(issue, body) for issue in found[start : start + size]]
        return Reply({"startAt": start, "maxResults": size, "total": len(found), "issues": rows})

    def _row(self, issue: Issue, body: dict[str, Any]) -> dict[str, Any]:
        custom = {one["id"] for one in FIELDS}
        unknown = set(body["fields"]) - PLAIN - custom
        assert not unknown, unknown
        fields = {k: v for k, v in self._fields(issue).items() if k in body["fields"]}
        row = {"id": issue.id, "key": issue.key, "fields": fields}
        if "changelog" in body.get("expand", []):
            row["changelog"] = self._embedded(issue, self.embedded)
        return row

    # --- issues

    def _fields(self, issue: Issue) -> dict[str, Any]:
        name, category = issue.status, STATUSES[IDS[issue.status]][1]
        status = {"id": IDS[name], "name": name, "statusCategory": {"key": category}}
        fields: dict[str, Any] = {
            "summary": issue.summary,
            "description": _document(issue.description) if self.cloud else issue.description,
            "status": status,
            "created": self._written(issue.created),
            "updated": self._written(issue.updated),
            "resolutiondate": self._written(issue.resolutiondate),
            "resolution": {"name": issue.resolution} if issue.resolution else None,
            "priority": {"name": issue.priority} if issue.priority else None,
            "labels": issue.labels,
            "components": [{"id": "1", "name": name} for name in issue.components],
            "issuelinks": [self._link(*link, issue.linked) for link in issue.links],
        }
        for custom, value in issue.custom.items():
            (id_,) = [one["id"] for one in FIELDS if one["name"] == custom]
            fields[str(id_)] = self._written(value) if isinstance(value, datetime) else value
        return fields

    def _written(self, moment: datetime | None) -> str | None:
        """Times as Jira writes them: in the user's zone, with an offset that has no colon."""
        if moment is None:
            return None
        local = moment.astimezone(ZoneInfo(self.zone))
        return local.isoformat(timespec="milliseconds")[:-6] + local.strftime("%z")

    def _link(self, kind: str, outward: bool, key: str, title: str) -> dict[str, Any]:
        inward, out = LINKS[kind]
        other = {"id": "1", "key": key, "fields": {"summary": title}}
        return {
            "id": "1",
            "type": {"name": kind, "inward": inward, "outward": out},
            ("outwardIssue" if outward else "inwardIssue"): other,
        }

    # --- histories

    def _histories(self, issue: Issue) -> list[dict[str, Any]]:
        return [
            {
                "id": f"{issue.id}{number:04}",
                "author": {"displayName": "Grace Hopper"},
                "created": round(at.timestamp() * 1000) if self.cloud else self._written(at),
                "items": [_item(*change)],
            }
            for number, (at, *change) in enumerate(issue.changes)
        ]

    def _embedded(self, issue: Issue, most: int) -> dict[str, Any]:
        histories = self._histories(issue)
        total = len(histories)
        kept = histories[-most:] if most else []
        return {"startAt": 0, "maxResults": total, "total": total, "histories": kept}

    def _one(self, asked: Asked, key: str, *, whole: bool) -> Reply:
        found = [one for one in self.issues.values() if key in (one.id, one.key)]
        if not found or not (whole or self.pages_of_changes):
            return Reply({"message": "null for uri"}, 404)
        if whole:
            return Reply({"changelog": self._embedded(found[0], self.embedded)})
        histories, start = self._histories(found[0]), int(asked.one("startAt", "0"))
        values = histories[start : start + min(100, int(asked.one("maxResults", "100")))]
        last = start + len(values) >= len(histories)
        return Reply({"startAt": start, "total": len(histories), "isLast": last, "values": values})

    def _changes_of_many(self, asked: Asked) -> Reply:
        wanted = asked.body["issueIdsOrKeys"]
        assert 0 < len(wanted) <= 1000
        assert 0 < asked.body["maxResults"] <= 10_000
        size = min(asked.body["maxResults"], self.changes)
        flat = [
            (id_, history)
            for id_ in sorted(wanted)
            if id_ in self.issues
            for history in self._histories(self.issues[id_])
        ]
        start = int(asked.body.get("nextPageToken") or 0)
        by_issue: dict[str, list[Any]] = {}
        for id_, history in flat[start : start + size]:
            by_issue.setdefault(id_, []).append(history)
        logs = [{"issueId": id_, "changeHistories": h} for id_, h in by_issue.items()]
        more = str(start + size) if start + size < len(flat) else None
        return Reply({"issueChangeLogs": logs, "nextPageToken": more})


def _item(name: str, before: str, after: str) -> dict[str, Any]:
    if name == "key":
        return {"field": "Key", "from": None, "fromString": before, "to": None, "toString": after}
    ids = (IDS[before], IDS[after]) if name == "status" else (None, None)
    return {
        "field": name,
        "fieldId": name,
        "from": ids[0],
        "fromString": before,
        "to": ids[1],
        "toString": after,
    }


def _document(text: str) -> dict[str, Any] | None:
    """A description as Cloud gives it: a tree."""
    if not text:
        return None
    nodes: list[dict[str, Any]] = []
    for part in re.split(r"(https?://\S+)", text):
        if part.startswith("http"):
            nodes.append({"type": "inlineCard", "attrs": {"url": part}})
        elif part:
            nodes.append({"type": "text", "text": part})
    paragraph = {"type": "paragraph", "content": nodes}
    return {"type": "doc", "version": 1, "content": [paragraph]}


Fits = Callable[[Issue], bool]


def _query(text: str, instant: Callable[[str], datetime]) -> Fits:
    """What a query asks for; only `and` of a few clauses is understood."""
    clauses = [_clause(part, instant) for part in _parted(text.strip())]
    return lambda issue: all(clause(issue) for clause in clauses)


def _parted(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0 and text[at : at + 5].upper() == " AND ":
            parts.append(text[start:at])
            start = at + 5
    return [part.strip() for part in [*parts, text[start:]]]


def _clause(text: str, instant: Callable[[str], datetime]) -> Fits:
    if text.startswith("(") and text.endswith(")"):
        return _query(text[1:-1], instant)
    if match := re.fullmatch(r"project = (\w+)", text):
        return lambda issue: issue.key.startswith(f"{match[1]}-")
    if match := re.fullmatch(r"labels = (\w+)", text):
        return lambda issue: match[1] in issue.labels
    if match := re.fullmatch(r'(updated|created) >= "([^"]*)"', text):
        name, moment = match[1], instant(match[2])
        return lambda issue: getattr(issue, name) >= moment
    raise ValueError(f"Error in the JQL Query: cannot understand {text!r}")


def hours(n: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=n)
