-- By which its owner names an identity. The default is for the rows of before and of instances of the release before.
alter table identities add column id uuid not null default gen_random_uuid();
create unique index identities_id_idx on identities (id);
