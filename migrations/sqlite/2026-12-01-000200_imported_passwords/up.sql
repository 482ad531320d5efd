-- How often the password was set here. A hash that is replaced by another of the same password does not count.
alter table users add column password_changes integer not null default 0;

-- Accounts whose password another system has hashed.
create index users_imported_passwords_idx on users (id) where substr(password_hash, 1, 4) = '$in$';
