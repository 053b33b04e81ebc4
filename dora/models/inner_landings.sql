-- grain: a pull request whose landed commit another one lists as its own
-- key: pull_request_id, outer_id
-- reads: landed_pull_requests, listed_originals
-- rule: It landed inside the other one, unless both landed as the same commit.
select
    i.pull_request_id as pull_request_id,
    i.repository as repository,
    i.landed_sha as landed_sha,
    o.pull_request_id as outer_id,
    o.landed_sha as outer_landed_sha,
    o.landed_id as outer_landed_id
from landed_pull_requests i
join listed_originals c
    on c.repository = i.repository and c.sha = i.landed_sha
    and c.pull_request_id <> i.pull_request_id
join landed_pull_requests o on o.pull_request_id = c.pull_request_id
