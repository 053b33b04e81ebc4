-- grain: a commit whose subject names a pull request
-- key: commit_id
-- reads: commits
-- rule: As forges write it under what they squash or merge. A table of its own, so that an engine
--  sees where there are none.
select
    c.repository as repository,
    c.pull_request as number,
    c.sha as sha,
    c.commit_id as commit_id,
    dora_us(c.committed_at) as us
from commits c
where c.pull_request is not null
