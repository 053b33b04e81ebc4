-- grain: a service and a day on which changes were delivered to it
-- key: service, day
-- reads: change_times, pull_request_commits, pull_request_times
-- rule: Of the changes that count, how many have a pull request, and how many begin where their
--  author began: the landed commit of a pull request whose original commits nobody has told may be
--  a squash, made when it was merged. Of all that were delivered and made by people, how many were
--  not committed after their delivery, and how many were surely delivered by that deployment.
with
listed as (
    select distinct o.repository as repository, o.number as number
    from pull_request_commits o
),
with_originals as (
    select t.pull_request_id as pull_request_id
    from pull_request_times t
    join listed o on o.repository = t.repository and o.number = t.number
)
select
    d.service as service,
    dora_day(d.delivered_at) as day,
    sum(case when d.left_out is null then 1 else 0 end) as changes,
    sum(case when d.left_out is null and d.pull_request_id is not null then 1 else 0 end)
        as with_pull_request,
    sum(case
        when d.left_out is null and (d.pull_request_id is null or o.pull_request_id is not null)
            then 1
        else 0
    end) as own_beginning,
    count(*) as delivered,
    sum(case when d.left_out = 'negative duration' then 0 else 1 end) as in_order,
    sum(case when d.left_out = 'uncertain delivery' then 0 else 1 end) as certain
from change_times d
left join with_originals o on o.pull_request_id = d.pull_request_id
where d.delivered_at is not null
    and coalesce(d.left_out, '') not in ('before the record', 'bot')
group by d.service, dora_day(d.delivered_at)
