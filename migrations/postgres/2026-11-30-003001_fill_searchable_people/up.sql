-- A thousand people at a time. Their rows are locked until the next thousand, so that nobody is renamed or removed
-- between the read and the insert.
do $$
declare
    after_user uuid := '00000000-0000-0000-0000-000000000000';
    after_organization uuid := after_user;
    last_user uuid;
    last_organization uuid;
begin
    loop
        select user_id, organization_id into last_user, last_organization
        from (
            select user_id, organization_id from memberships
            where (user_id, organization_id) > (after_user, after_organization)
            order by user_id, organization_id limit 1000
        ) as batch
        order by user_id desc, organization_id desc limit 1;
        exit when not found;
        insert into searchable_people (organization_id, user_id, text)
        select m.organization_id, m.user_id, searchable_text(u.name, u.email)
        from users as u
        join memberships as m on m.user_id = u.id
        where (m.user_id, m.organization_id) > (after_user, after_organization)
            and (m.user_id, m.organization_id) <= (last_user, last_organization)
        for share of u for key share of m
        on conflict do nothing;
        commit;
        after_user := last_user;
        after_organization := last_organization;
    end loop;
end
$$;
