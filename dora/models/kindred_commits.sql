-- grain: a commit and another one that carries the same change
-- key: repository, sha, other
-- reads: copies
-- rule: A copy is kin to all that it copies, itself or by way of another copy, and to the other
--  copies of that; what is copied is kin to each of its copies.
select c.repository as repository, c.sha as sha, c.carrier as other
from copies c
where c.sha <> c.carrier
union
select c.repository as repository, c.carrier as sha, c.sha as other
from copies c
where c.sha <> c.carrier
union
select c.repository as repository, c.carrier as sha, o.carrier as other
from copies c
join copies o on o.repository = c.repository and o.sha = c.sha
where c.carrier <> o.carrier
