drop trigger users_searchable_update;
drop trigger memberships_searchable_insert;
drop table searchable_people;
