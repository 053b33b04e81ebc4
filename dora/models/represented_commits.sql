-- grain: a commit that is no change simply by itself
-- key: commit_id
-- reads: change_places, cherry_picks, commits, originals, replaced_commits
-- rule: It is an original of a pull request, or what stood in its stead, or a copy, or a commit that
--  was copied elsewhere; the first three count as something else or not at all.
select o.commit_id as commit_id from originals o where o.commit_id is not null
union
select g.commit_id as commit_id from replaced_commits g
union
select c.commit_id as commit_id
from cherry_picks k
join commits c on c.repository = k.repository and c.sha = k.sha
union
select p.change_id as commit_id from change_places p where p.change_id > 0
