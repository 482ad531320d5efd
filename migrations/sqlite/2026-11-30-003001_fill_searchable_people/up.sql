insert into searchable_people (organization_id, user_id, text, number)
select m.organization_id, m.user_id, lower(u.name) || char(10) || coalesce(u.email, ''), row_number() over ()
from memberships as m join users as u on u.id = m.user_id;
