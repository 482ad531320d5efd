drop table active_organizations;
drop index sessions_organization_idx;
delete from sessions where organization_id is null;
alter table sessions alter column organization_id set not null;
