-- grain: a commit whose deliveries a failure may hang on, and what it is mentioned by
-- key: commit_id, mention
-- reads: commits, hotfix_commits, keyed_commits, named_commits, reverts
-- rule: Hotfixes, reverts, what they revert, and the commits that incidents name, by their ids or by
--  a key that they bear (mention is then what the incident said).
select h.commit_id as commit_id, '' as mention
from hotfix_commits h
union
select v.commit_id as commit_id, '' as mention
from reverts v
union
select v.target_id as commit_id, '' as mention
from reverts v
union
select c.commit_id as commit_id, n.sha as mention
from (select distinct m.sha as sha, substr(m.sha, 1, 7) as head from named_commits m) n
join commits c on substr(c.sha, 1, 7) = n.head
where substr(c.sha, 1, length(n.sha)) = n.sha
union
select k.commit_id as commit_id, k.cause as mention
from keyed_commits k
