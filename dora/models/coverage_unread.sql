-- grain: a fact that is missing of a repository, as a source could not read it
-- key: fact, repository
-- reads: unread
-- rule: What was asked for and could not be read when that source was read the last time.
select distinct u.record_type as fact, u.part as repository
from unread u
