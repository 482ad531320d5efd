delete from sessions where kind = 'token';
drop index sessions_token_hash_key;
alter table sessions drop column locked;
alter table sessions drop column token_hash;
alter table sessions drop column kind;
