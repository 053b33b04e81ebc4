-- grain: a commit that a pull request which has landed lists as its own
-- key: pull_request_id, sha
-- reads: landed_pull_requests, pull_request_commits
-- rule: As the provider lists them: shared ones under each, merges and inner landings included.
select
    l.pull_request_id as pull_request_id,
    p.repository as repository,
    p.sha as sha,
    p.author as author,
    p.authored_at as authored_at,
    p.is_bot as is_bot,
    p.merges as merges
from pull_request_commits p
join landed_pull_requests l on l.repository = p.repository and l.number = p.number
