-- What a search of people compares, once for each membership, so that one index finds what an organization's people
-- contain. Kept by the triggers below. On SQLite `number` leads from the index to the row.
create table searchable_people (
    organization_id uuid not null,
    user_id uuid not null,
    text text not null,
    number bigint not null default 0,
    constraint searchable_people_pkey primary key (organization_id, user_id),
    constraint searchable_people_membership_fkey
        foreign key (user_id, organization_id) references memberships (user_id, organization_id) on delete cascade
);

-- The index holds the organization and each three characters that follow each other.
create function search_tokens(organization_id uuid, text text) returns text[] language sql immutable as $$
    select array_agg(substr(text, n, 3)) || organization_id::text from generate_series(1, length(text) - 2) as n
$$;

-- A line break is in no name, no address and no search.
create function searchable_text(name text, email text) returns text language sql stable as $$
    select lower(name) || e'\n' || coalesce(email, '')
$$;

create function keep_searchable_people() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'memberships' then
        insert into searchable_people (organization_id, user_id, text)
        select new.organization_id, new.user_id, searchable_text(name, email) from users where id = new.user_id;
    else
        update searchable_people set text = searchable_text(new.name, new.email)
        where user_id = new.id
            and organization_id in (select m.organization_id from memberships as m where m.user_id = new.id);
    end if;
    return null;
end
$$;

create trigger memberships_searchable_insert after insert on memberships
for each row execute function keep_searchable_people();

create trigger users_searchable_update after update of name, email on users
for each row when (old.name is distinct from new.name or old.email is distinct from new.email)
execute function keep_searchable_people();
