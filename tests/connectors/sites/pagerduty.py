"""PagerDuty made for tests: only what its interface documents, refusing the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.connectors.hosts import Reply
from tests.connectors.sites.site import Asked, Site

SERVICES = {"PCHECK1": "Checkout", "PSEARC1": "Search", "PBILL01": "Billing (EU)"}
IDS = {name: id_ for id_, name in SERVICES.items()}
LISTED = {
    "limit", "offset", "total", "date_range", "service_ids[]", "urgencies[]", "time_zone",
    "statuses[]", "sort_by", "since", "until", "is_overview",
}  # fmt: skip


@dataclass
class Incident:
    """An incident as somebody sees it; `log` is what happened to it."""

    id: str
    number: int
    created: datetime
    service: str = "Checkout"
    urgency: str = "high"
    priority: str | None = None
    title: str = "It is on fire"
    status: str = "triggered"
    changed: datetime = field(default=datetime(1970, 1, 1, tzinfo=UTC))
    merged_into: str | None = None
    log: list[tuple[datetime, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.changed = max(self.changed, self.created)
        self.log.append((self.created, "trigger"))
        self.log.append((self.created, "notify"))

    def then(self, at: datetime, what: str) -> Incident:
        """Let something happen to it: acknowledge, resolve, reopen, annotate."""
        becomes = {"acknowledge": "acknowledged", "resolve": "resolved", "reopen": "triggered"}
        self.status = becomes.get(what, self.status)
        self.changed = at if what in becomes else self.changed
        self.log.append((at, "trigger" if what == "reopen" else what))
        return self

    def merge(self, at: datetime, into: str) -> Incident:
        """Merge it into another one."""
        self.merged_into = into
        return self.then(at, "resolve")

    @property
    def resolved(self) -> datetime | None:
        return self.changed if self.status == "resolved" else None


class PagerDuty(Site):
    """One account whose token it knows."""

    def __init__(self) -> None:
        super().__init__()
        self.incidents: dict[str, Incident] = {}
        self.token = "pd-token-u+Zx81Qw"
        self.most = 10_000
        self.largest = 100
        self.only_days = False  # whether it looks at the day alone of `since` and `until`
        self.told_total = True

    def add(self, *incidents: Incident) -> None:
        """Let incidents be there."""
        self.incidents.update((one.id, one) for one in incidents)

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Token token={self.token}":
            return Reply({"error": {"message": "Unauthorized", "code": 2006}}, 401)
        assert asked.headers["accept"] == "application/vnd.pagerduty+json;version=2"
        if asked.path == "/services":
            rows = [{"id": id_, "name": name} for id_, name in SERVICES.items()]
            return self._page(asked, "services", rows)
        unknown = set(asked.query) - LISTED
        if unknown:
            return Reply({"error": {"message": f"Unknown: {sorted(unknown)}"}}, 400)
        if asked.path == "/incidents":
            return self._incidents(asked)
        if asked.path == "/log_entries":
            return self._entries(asked, list(self.incidents.values()))
        one = re.fullmatch(r"/incidents/(\w+)(/log_entries)?", asked.path)
        found = self.incidents.get(one[1]) if one else None
        if one is None or found is None:
            return Reply({"error": {"message": "Not Found", "code": 2100}}, 404)
        return self._entries(asked, [found]) if one[2] else Reply({"incident": self._row(found)})

    def _incidents(self, asked: Asked) -> Reply:
        found = [one for one in self.incidents.values() if self._fits(one, asked)]
        if asked.one("date_range") != "all":
            window = self._window(asked)
            if isinstance(window, str):
                return Reply({"error": {"message": window, "code": 2001}}, 400)
            found = [one for one in found if window[0] <= one.created < window[1]]
        else:
            assert "since" not in asked.query
        order, _, way = asked.one("sort_by").partition(":")
        keys = {
            "incident_number": lambda one: one.number,
            "created_at": lambda one: one.created,
            "resolved_at": lambda one: (one.resolved or one.created, one.number),
        }
        found.sort(key=keys[order], reverse=way == "desc")
        return self._page(asked, "incidents", [self._row(one) for one in found])

    def _fits(self, one: Incident, asked: Asked) -> bool:
        services = asked.query.get("service_ids[]")
        urgencies, statuses = asked.query.get("urgencies[]"), asked.query.get("statuses[]")
        return (
            (not services or IDS[one.service] in services)
            and (not urgencies or one.urgency in urgencies)
            and (not statuses or one.status in statuses)
        )

    def _window(self, asked: Asked) -> tuple[datetime, datetime] | str:
        if asked.one("time_zone") != "UTC":
            return "times would be read in the account's time zone"
        begin, end = (datetime.fromisoformat(asked.one(name)) for name in ("since", "until"))
        if end - begin > timedelta(days=184):
            return "The time range is longer than 6 months"
        if self.only_days:
            begin, end = (one.replace(hour=0, minute=0, second=0) for one in (begin, end))
        return begin, end

    def _entries(self, asked: Asked, incidents: list[Incident]) -> Reply:
        window: Any = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
        if "since" in asked.query:
            window = self._window(asked)
            assert not isinstance(window, str), window
        entries = [
            {
                "id": f"{one.id}{number:03}",
                "type": f"{what}_log_entry",
                "created_at": _written(at),
                "agent": {"type": "user_reference", "summary": "Grace Hopper"},
                "incident": {"id": one.id, "type": "incident_reference"},
            }
            for one in incidents
            for number, (at, what) in enumerate(one.log)
            if window[0] <= at < window[1] and what != "notify"
        ]
        entries.sort(key=lambda entry: (entry["created_at"], entry["id"]), reverse=True)
        assert asked.one("is_overview") == "true"
        return self._page(asked, "log_entries", entries)

    def _page(self, asked: Asked, key: str, rows: list[dict[str, Any]]) -> Reply:
        limit, offset = int(asked.one("limit", "25")), int(asked.one("offset", "0"))
        if limit > 100:
            return Reply({"error": {"message": "limit is at most 100", "code": 2001}}, 400)
        if offset + limit > self.most:
            return Reply({"error": {"message": "Offset+limit exceeds 10000", "code": 2002}}, 400)
        size = min(limit, self.largest)
        total = len(rows) if asked.one("total") == "true" and self.told_total else None
        return Reply({
            key: rows[offset : offset + size],
            "limit": limit,
            "offset": offset,
            "more": offset + size < len(rows),
            "total": total,
        })  # fmt: skip

    def _row(self, one: Incident) -> dict[str, Any]:
        reason = None
        if one.merged_into:
            merged = {"id": one.merged_into, "type": "incident_reference"}
            reason = {"type": "merge_resolve_reason", "incident": merged}
        return {
            "id": one.id,
            "incident_number": one.number,
            "title": one.title,
            "created_at": _written(one.created),
            "updated_at": _written(one.changed),
            "status": one.status,
            "service": {"id": IDS[one.service], "type": "service_reference",
                        "summary": one.service},
            "urgency": one.urgency,
            "priority": {"summary": one.priority} if one.priority else None,
            "last_status_change_at": _written(one.changed),
            "last_status_change_by": {"type": "user_reference", "summary": "Grace Hopper"},
            "resolved_at": _written(one.resolved) if one.resolved else None,
            "resolve_reason": reason,
            "html_url": f"https://acme.pagerduty.example/incidents/{one.id}",
        }  # fmt: skip


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
