-- Who was removed stays out also when the organization is gone and their workspace gets another one.
alter table removed_identities drop constraint removed_identities_organization_fkey;

-- The addresses that a person had when they accepted, which go with the account.
create index invitations_accepted_by_idx on invitations (accepted_by) where accepted_by is not null;
