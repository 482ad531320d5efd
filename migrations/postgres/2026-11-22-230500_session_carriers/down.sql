delete from sessions where kind = 'token';
alter table sessions drop column locked, drop column token_hash, drop column kind;
