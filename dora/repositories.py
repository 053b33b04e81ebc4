"""Which repository a deployment is from that names none: the only one that has its commit.

A pipeline or an event often says what it deploys by the commit alone. But for forks a commit is in
one repository; where several have it, and where none does, the deployment stays without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FOUND = """
create or replace temp table dora_settled as
select d.source, d.id, d.environment, min(c.repository) as repository
from deployments d
join commits c on substr(c.sha, 1, 7) = substr(d.sha, 1, 7) and starts_with(c.sha, d.sha)
where d.repository = '' and length(d.sha) >= 7
group by all
having count(distinct c.repository) = 1
"""

_SAME = "d.source = s.source and d.id = s.id and d.environment = s.environment"


def settle(connection: DuckDBPyConnection) -> int:
    """Give their repository to deployments that name none; gives how many there were.

    A deployment that was given one before and has been read again takes its former place.
    """
    unnamed = connection.execute(
        "select 1 from deployments where repository = '' and sha is not null limit 1"
    ).fetchall()
    if not unnamed:
        return 0
    connection.execute("begin")
    connection.execute(_FOUND)
    connection.execute(
        "delete from deployments d using dora_settled s"
        f" where {_SAME} and d.repository = s.repository"
    )
    settled = connection.execute(
        "update deployments d set repository = s.repository from dora_settled s"
        f" where {_SAME} and d.repository = ''"
    ).fetchall()
    connection.execute("commit")
    connection.execute("drop table dora_settled")
    return int(settled[0][0])
