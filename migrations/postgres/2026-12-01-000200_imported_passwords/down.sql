drop index users_imported_passwords_idx;
alter table users drop column password_changes;
