-- The tokens of each row: the organization, and each three characters that follow each other.
create view searchable_people_tokens as
select number, 'o' || hex(organization_id) || ' ' || (
    with recursive positions (n) as (select 1 union all select n + 1 from positions where n < length(text) - 2)
    select group_concat('t' || hex(substr(text, n, 3)), ' ') from positions
) as tokens
from searchable_people;

-- Which rows have a token, and nothing else.
create virtual table searchable_people_index using fts5(
    tokens, content = 'searchable_people_tokens', content_rowid = 'number', detail = none, columnsize = 0,
    tokenize = 'ascii'
);

insert into searchable_people_index (searchable_people_index) values ('rebuild');

create trigger searchable_people_index_insert after insert on searchable_people
begin
    insert into searchable_people_index (rowid, tokens)
    select number, tokens from searchable_people_tokens where number = new.number;
end;

create trigger searchable_people_index_delete before delete on searchable_people
begin
    insert into searchable_people_index (searchable_people_index, rowid, tokens)
    select 'delete', number, tokens from searchable_people_tokens where number = old.number;
end;

create trigger searchable_people_index_outdated before update of text on searchable_people
begin
    insert into searchable_people_index (searchable_people_index, rowid, tokens)
    select 'delete', number, tokens from searchable_people_tokens where number = old.number;
end;

create trigger searchable_people_index_update after update of text on searchable_people
begin
    insert into searchable_people_index (rowid, tokens)
    select number, tokens from searchable_people_tokens where number = new.number;
end;
