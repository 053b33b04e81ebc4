-- grain: a production deployment, and the hotfix that followed it
-- key: repair_source, repair_deployment, repair_service, repair_environment
-- reads: production_sequence, rules
-- rule: The nearest deployment before a hotfix that is neither a hotfix nor a rollback, of the
--  same service and environment, if it finished no longer before than the hotfix window.
with
behind as (
    select
        q.source as source,
        q.deployment as deployment,
        q.service as service,
        q.environment as environment,
        q.us as us,
        q.hotfix as hotfix,
        q.area as area,
        max(case when q.hotfix or q.rollback then null else q.place end) over (
            partition by q.area
            order by q.place
            rows between unbounded preceding and 1 preceding
        ) as place
    from production_sequence q
)
select
    f.source as source,
    f.deployment as deployment,
    f.service as service,
    f.environment as environment,
    b.source as repair_source,
    b.deployment as repair_deployment,
    b.service as repair_service,
    b.environment as repair_environment,
    'fix forward' as repair_kind,
    b.us - f.us as gap_us
from behind b
join production_sequence f
    on f.area = b.area and f.place = b.place
cross join rules r
where b.hotfix and b.us - f.us <= r.hotfix_window_us
