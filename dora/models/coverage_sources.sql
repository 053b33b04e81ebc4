-- grain: a source that a sync has tried to read
-- key: source
-- reads: rules, syncs
-- rule: Read once any sync finished with it; fresh if the last try did, and it is at most a day
--  behind the source read last. One that was read last before what stands for now was given up.
with
tries as (
    select
        s.source as source,
        max(case when s.status = 'finished' then dora_us(s.started_at) end) as read_us,
        max(case when s.status = 'failed' then dora_us(s.started_at) end) as failed_us
    from syncs s
    group by s.source
),
newest as (
    select max(t.read_us) as us from tries t
)
select
    t.source as source,
    t.read_us is not null as was_read,
    t.read_us is not null
        and coalesce(t.failed_us, 0) <= t.read_us
        and n.us - t.read_us <= 86400000000 as fresh
from tries t
cross join newest n
cross join rules r
where coalesce(t.read_us, t.failed_us) >= dora_us(r.as_of) or t.read_us is null
