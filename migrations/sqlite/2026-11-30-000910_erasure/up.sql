-- What a deleted account did, in every organization: its rows keep the id, but no origin.
drop index audit_actor_idx;
create index audit_actor_idx on audit (actor_id, id);
-- The invitations to the address of a deleted account.
create index invitations_email_idx on invitations (email, id);
-- The account that an e-mail concerns, whatever its address was: it goes with the account.
alter table outbox
    add column user_id blob constraint outbox_user_fkey references users (id) on delete cascade;
create index outbox_user_idx on outbox (user_id) where user_id is not null;
