drop trigger users_searchable_update on users;
drop trigger memberships_searchable_insert on memberships;
drop function keep_searchable_people;
drop function searchable_text;
drop function search_tokens cascade;
drop table searchable_people;
