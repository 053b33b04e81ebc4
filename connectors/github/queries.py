"""Every question put to GitHub's GraphQL interface, as text; a test holds them against its schema.

Lists inside lists are asked for with their page information, so that what does not fit is seen and
followed by `MORE_...`. Costs are those of GitHub's documentation: the number of lists that would be
opened if every one were full, divided by 100.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_SPENT = "rateLimit { cost remaining resetAt }"
_PAGE = "pageInfo { hasNextPage endCursor }"

_LOOKS = "$pulls: Boolean!, $issues: Boolean!, $deployments: Boolean!, $versions: Boolean!"

_HEAD = """
fragment Head on Repository {
  id nameWithOwner url isArchived isFork isEmpty
  defaultBranchRef { name target { oid } }
  pullRequests(first: 1, orderBy: {field: UPDATED_AT, direction: DESC})
    @include(if: $pulls) { nodes { updatedAt } }
  issues(first: 1, orderBy: {field: UPDATED_AT, direction: DESC})
    @include(if: $issues) { nodes { updatedAt } }
  deployments(first: 1, orderBy: {field: CREATED_AT, direction: DESC})
    @include(if: $deployments) { nodes { createdAt } }
  releases(first: 5, orderBy: {field: CREATED_AT, direction: DESC}) @include(if: $versions) {
    totalCount nodes { id updatedAt isDraft publishedAt }
  }
  refs(refPrefix: "refs/tags/", first: 1, orderBy: {field: TAG_COMMIT_DATE, direction: DESC})
    @include(if: $versions) { totalCount nodes { name target { oid } } }
}
"""

HEADS = f"""
query Heads($ids: [ID!]!, {_LOOKS}) {{
  {_SPENT}
  nodes(ids: $ids) {{ __typename ...Head }}
}}
{_HEAD}
"""
"""How many repositories stand now, by their ids: up to 100 at once."""

NAMED = f"""
query Named($owner: String!, $name: String!, {_LOOKS}) {{
  {_SPENT}
  repository(owner: $owner, name: $name) {{ ...Head }}
}}
{_HEAD}
"""
"""How one repository stands; an old name leads to the new one."""

OWNED = f"""
query Owned($owner: String!, $size: Int!, $after: String, {_LOOKS}) {{
  {_SPENT}
  repositoryOwner(login: $owner) {{
    repositories(first: $size, after: $after, ownerAffiliations: [OWNER],
                 orderBy: {{field: NAME, direction: ASC}}) {{
      {_PAGE}
      nodes {{ ...Head }}
    }}
  }}
}}
{_HEAD}
"""
"""All repositories of an organisation or a user that the token may see."""

_COMMITS = f"""
fragment Originals on PullRequestCommitConnection {{
  {_PAGE} totalCount
  nodes {{
    commit {{
      id oid authoredDate messageHeadline
      author {{ name email user {{ login }} }}
    }}
  }}
}}
"""

_REVIEWS = f"""
fragment Opinions on PullRequestReviewConnection {{
  {_PAGE}
  nodes {{ id state submittedAt author {{ __typename login }} }}
}}
"""

_LABELS = f"""
fragment Words on LabelConnection {{ {_PAGE} nodes {{ name }} }}
"""

PULL_REQUESTS = f"""
query PullRequests($repository: ID!, $size: Int!, $after: String) {{
  {_SPENT}
  node(id: $repository) {{
    ... on Repository {{
      nameWithOwner
      pullRequests(first: $size, after: $after,
                   orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
        {_PAGE}
        nodes {{
          id number state title body isDraft url createdAt updatedAt mergedAt closedAt
          headRefName baseRefName headRefOid
          author {{ __typename login }}
          mergeCommit {{ oid }}
          labels(first: 100) {{ ...Words }}
          commits(first: 100) {{ ...Originals }}
          reviews(first: 100) {{ ...Opinions }}
          timelineItems(last: 1, itemTypes: [READY_FOR_REVIEW_EVENT]) {{
            nodes {{ ... on ReadyForReviewEvent {{ createdAt }} }}
          }}
        }}
      }}
    }}
  }}
}}
{_COMMITS}{_REVIEWS}{_LABELS}
"""
"""Pull requests, the one changed last first, each with commits, reviews, labels and readiness."""


def _more(name: str, parent: str, field: str, content: str, fragment: str) -> str:
    return f"""
query {name}($id: ID!, $size: Int!, $after: String) {{
  {_SPENT}
  node(id: $id) {{ ... on {parent} {{ {field}(first: $size, after: $after) {{ {content} }} }} }}
}}
{fragment}
"""


MORE_COMMITS = _more("MoreCommits", "PullRequest", "commits", "...Originals", _COMMITS)
MORE_REVIEWS = _more("MoreReviews", "PullRequest", "reviews", "...Opinions", _REVIEWS)
MORE_LABELS = _more("MoreLabels", "PullRequest", "labels", "...Words", _LABELS)
MORE_ISSUE_LABELS = _more("MoreIssueLabels", "Issue", "labels", "...Words", _LABELS)

PARENTS = f"""
query Parents($ids: [ID!]!) {{
  {_SPENT}
  nodes(ids: $ids) {{ ... on Commit {{ oid parents(first: 1) {{ totalCount }} }} }}
}}
"""
"""How many parents commits have; asked only of those whose subject speaks of a merge."""

_COMMIT = f"""
fragment Landed on Commit {{
  oid message authoredDate committedDate
  author {{ name email user {{ login }} }}
  parents(first: 100) {{ {_PAGE} nodes {{ oid }} }}
}}
"""

HISTORY = f"""
query History($repository: ID!, $oid: GitObjectID!, $size: Int!, $after: String) {{
  {_SPENT}
  node(id: $repository) {{
    ... on Repository {{
      object(oid: $oid) {{
        ... on Commit {{
          history(first: $size, after: $after) {{ {_PAGE} nodes {{ ...Landed }} }}
        }}
      }}
    }}
  }}
}}
{_COMMIT}
"""
"""A commit and everything behind it, newest first, with parents."""

REFS = f"""
query Refs($repository: ID!, $prefix: String!, $size: Int!, $after: String) {{
  {_SPENT}
  node(id: $repository) {{
    ... on Repository {{
      refs(refPrefix: $prefix, first: $size, after: $after,
           orderBy: {{field: TAG_COMMIT_DATE, direction: DESC}}) {{
        {_PAGE} totalCount
        nodes {{
          name
          target {{
            __typename oid
            ... on Commit {{ committedDate }}
            ... on Tag {{
              tagger {{ date }}
              target {{
                __typename oid
                ... on Commit {{ committedDate }}
                ... on Tag {{ target {{ __typename oid ... on Commit {{ committedDate }} }} }}
              }}
            }}
          }}
        }}
      }}
    }}
  }}
}}
"""
"""Branches or tags, with the time of the tag and of the commit behind it."""

_STATUSES = f"""
fragment Statuses on DeploymentStatusConnection {{
  {_PAGE}
  nodes {{ state createdAt logUrl environmentUrl }}
}}
"""

_DEPLOYED = """
fragment Deployed on Deployment {
  id createdAt updatedAt environment originalEnvironment commitOid task
  ref { name prefix }
  statuses(first: 100) { ...Statuses }
}
"""

DEPLOYMENTS = f"""
query Deployments($repository: ID!, $size: Int!, $after: String) {{
  {_SPENT}
  node(id: $repository) {{
    ... on Repository {{
      deployments(first: $size, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
        {_PAGE}
        nodes {{ ...Deployed }}
      }}
    }}
  }}
}}
{_DEPLOYED}{_STATUSES}
"""
"""Deployments, the newest first, each with everything it went through."""

DEPLOYMENTS_AGAIN = f"""
query DeploymentsAgain($ids: [ID!]!) {{
  {_SPENT}
  nodes(ids: $ids) {{ ...Deployed }}
}}
{_DEPLOYED}{_STATUSES}
"""
"""Deployments that had not ended, as they stand now: up to 100 at once."""

MORE_STATUSES = _more("MoreStatuses", "Deployment", "statuses", "...Statuses", _STATUSES)

RELEASES = f"""
query Releases($repository: ID!, $size: Int!, $after: String) {{
  {_SPENT}
  node(id: $repository) {{
    ... on Repository {{
      releases(first: $size, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
        {_PAGE} totalCount
        nodes {{
          id name tagName url isDraft isPrerelease publishedAt createdAt updatedAt
          tagCommit {{ oid }}
        }}
      }}
    }}
  }}
}}
"""
"""Releases, the newest first."""

_TURNS = f"""
fragment Turns on IssueTimelineItemsConnection {{
  {_PAGE}
  nodes {{
    __typename
    ... on ClosedEvent {{ createdAt stateReason }}
    ... on ReopenedEvent {{ createdAt }}
    ... on MarkedAsDuplicateEvent {{
      createdAt
      canonical {{ __typename ... on Issue {{ id }} }}
    }}
  }}
}}
"""

ISSUES = f"""
query Issues($repository: ID!, $size: Int!, $after: String) {{
  {_SPENT}
  node(id: $repository) {{
    ... on Repository {{
      issues(first: $size, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
        {_PAGE}
        nodes {{
          id number title body state stateReason(enableDuplicate: true) url
          createdAt updatedAt closedAt
          labels(first: 100) {{ ...Words }}
          timelineItems(first: 100, itemTypes: [CLOSED_EVENT, REOPENED_EVENT,
                                                MARKED_AS_DUPLICATE_EVENT]) {{ ...Turns }}
        }}
      }}
    }}
  }}
}}
{_LABELS}{_TURNS}
"""
"""Issues, the one changed last first, with every closing and reopening."""

MORE_TURNS = f"""
query MoreTurns($id: ID!, $size: Int!, $after: String) {{
  {_SPENT}
  node(id: $id) {{
    ... on Issue {{
      timelineItems(first: $size, after: $after,
                    itemTypes: [CLOSED_EVENT, REOPENED_EVENT, MARKED_AS_DUPLICATE_EVENT]) {{
        ...Turns
      }}
    }}
  }}
}}
{_TURNS}
"""

WHO = f"""
query Who {{ {_SPENT} viewer {{ login }} }}
"""
"""Whose token it is; costs nothing that matters."""

QUERIES: Mapping[str, str] = MappingProxyType(
    {
        name: text
        for name, text in list(globals().items())
        if name.isupper() and not name.startswith("_") and isinstance(text, str)
    }
)
"""All of them, by name."""
