"""A GitLab on loopback that tells a scenario as gitlab.com would.

What it holds to, from GitLab's documentation of its REST API and from its source:

* Lists come in pages of `per_page` (20, at most 100) rows with `Link`, `X-Next-Page` and others;
  lists of more than 10,000 rows come without `X-Total` and `rel="last"`, those of commits and jobs
  always do. Keyset pages (`pagination=keyset`, `order_by`, `sort`) are for projects (`id_after`)
  and the jobs of a project (`cursor`); their only header is the `Link` to the next page.
* A time is kept to the microsecond and shown to the millisecond; filters compare what is kept.
* `updated_after` and `updated_before` include their bounds. For deployments they go together with
  `order_by=updated_at`.
* A deployment has no end of its own; `deployable.finished_at` is its job's. Tiers are told by
  the list of environments only. Nothing changes when a later deployment takes its place.
* `merge_commit_sha` is null where no merge commit was made; `squash_commit_sha` is a field of its
  own; after a rebase `sha` and the commits are those that landed. The commits of a merge request
  come without parents.
* Approvals, requests for changes and leaving draft are notes of the system in fixed words.
* `closed_at` of an issue is forgotten when it is reopened; `resource_state_events` has it all.
  `_links.closed_as_duplicate_of` is the address of the original issue in the API.
* A retried job is a new job; the pipeline stays and its `status` is that of the newest ones. The
  jobs of a pipeline leave retried ones out unless `include_retried=true`.
* A path that a project once had is answered 301 with the address by id. What may not be seen is
  404; a fact of a visible project that may not be read is 403.
* A token that lacks a scope is answered 403 `insufficient_scope`, one that ended 401
  `invalid_token`, an unknown one 401. `/personal_access_tokens/self` tells a token of itself.
* Too many requests are answered 429 in plain text, with `Retry-After` and `RateLimit-*` mostly.
* A deleted account's things are those of `ghost`; tokens of projects act as `project_*_bot_*`.
* There are no draft releases, and no reason for closing an issue.
"""

from tests.forges.gitlab_host.faults import Fault, Faults
from tests.forges.gitlab_host.paging import Sizes
from tests.forges.gitlab_host.server import GOOD, GitLabHost, Request, Token

__all__ = ["GOOD", "Fault", "Faults", "GitLabHost", "Request", "Sizes", "Token"]
