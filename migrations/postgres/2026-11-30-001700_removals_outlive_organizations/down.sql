drop index invitations_accepted_by_idx;
delete from removed_identities where organization_id not in (select id from organizations);
alter table removed_identities add constraint removed_identities_organization_fkey
    foreign key (organization_id) references organizations (id) on delete cascade;
