-- grain: a commit, and one in which a copy of it is carried
-- key: repository, sha, carrier
-- reads: cherry_picks, originals
-- rule: Copies of copies too; a copy that is an original of a pull request is also where that landed.
with recursive
hops as (
    select k.repository as repository, k.original as sha, k.sha as carrier
    from cherry_picks k
    union
    select k.repository as repository, k.original as sha, o.landed_sha as carrier
    from cherry_picks k
    join originals o on o.repository = k.repository and o.sha = k.sha
),
reached as (
    select h.repository as repository, h.sha as sha, h.carrier as carrier
    from hops h
    union
    select f.repository as repository, f.sha as sha, h.carrier as carrier
    from reached f
    join hops h on h.repository = f.repository and h.sha = f.carrier
)
select f.repository as repository, f.sha as sha, f.carrier as carrier
from reached f
