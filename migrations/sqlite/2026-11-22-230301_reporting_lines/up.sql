-- Who is above whom, at whatever distance, and everybody above themselves: the closure of
-- `memberships.manager_id`, kept by the triggers below. One page of a manager's people is one range of its key.
create table reporting_lines (
    organization_id blob not null,
    manager_id blob not null,
    user_id blob not null,
    constraint reporting_lines_pkey primary key (organization_id, manager_id, user_id),
    constraint reporting_lines_manager_fkey
        foreign key (manager_id, organization_id) references memberships (user_id, organization_id) on delete cascade,
    constraint reporting_lines_user_fkey
        foreign key (user_id, organization_id) references memberships (user_id, organization_id) on delete cascade
) strict, without rowid;

create index reporting_lines_user_idx on reporting_lines (organization_id, user_id);

-- `union` ends even where people report to each other in a circle.
insert into reporting_lines (organization_id, manager_id, user_id)
with recursive line (organization_id, manager_id, user_id) as (
    select organization_id, user_id, user_id from memberships
    union
    select line.organization_id, line.manager_id, report.user_id
    from line
    join memberships as report
        on report.organization_id = line.organization_id and report.manager_id = line.user_id
)
select organization_id, manager_id, user_id from line;

create trigger memberships_reporting_insert after insert on memberships
begin
    insert into reporting_lines (organization_id, manager_id, user_id)
    select new.organization_id, new.user_id, new.user_id
    union all
    select new.organization_id, above.manager_id, new.user_id
    from reporting_lines as above
    where above.organization_id = new.organization_id and above.user_id = new.manager_id;
end;

-- Whoever moves takes everybody below along. Below oneself there is no place to move to: the key refuses it.
create trigger memberships_reporting_update after update of manager_id on memberships
when old.manager_id is not new.manager_id
begin
    delete from reporting_lines
    where organization_id = new.organization_id
        and user_id in (
            select below.user_id from reporting_lines as below
            where below.organization_id = new.organization_id and below.manager_id = new.user_id
        )
        and manager_id in (
            select above.manager_id from reporting_lines as above
            where above.organization_id = new.organization_id and above.user_id = new.user_id
                and above.manager_id <> new.user_id
        );
    insert into reporting_lines (organization_id, manager_id, user_id)
    select new.organization_id, above.manager_id, below.user_id
    from reporting_lines as above, reporting_lines as below
    where above.organization_id = new.organization_id and above.user_id = new.manager_id
        and below.organization_id = new.organization_id and below.manager_id = new.user_id;
end;
