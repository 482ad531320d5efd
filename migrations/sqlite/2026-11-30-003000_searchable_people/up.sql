-- What a search of people compares, once for each membership, so that one index finds what an organization's people
-- contain. Kept by the triggers below; `number` leads from the index to the row. A line break is in no name, no address
-- and no search.
create table searchable_people (
    organization_id blob not null,
    user_id blob not null,
    text text not null,
    number integer not null,
    constraint searchable_people_pkey primary key (organization_id, user_id),
    constraint searchable_people_membership_fkey
        foreign key (user_id, organization_id) references memberships (user_id, organization_id) on delete cascade
) strict, without rowid;

create index searchable_people_number_idx on searchable_people (number);

create trigger memberships_searchable_insert after insert on memberships
begin
    insert into searchable_people (organization_id, user_id, text, number)
    select new.organization_id, new.user_id, lower(name) || char(10) || coalesce(email, ''),
        (select coalesce(max(number), 0) + 1 from searchable_people)
    from users where id = new.user_id;
end;

create trigger users_searchable_update after update of name, email on users
when old.name is not new.name or old.email is not new.email
begin
    update searchable_people set text = lower(new.name) || char(10) || coalesce(new.email, '')
    where user_id = new.id
        and organization_id in (select m.organization_id from memberships as m where m.user_id = new.id);
end;
