drop table audit;
drop table changes;
drop table sessions;
drop table memberships;
drop table organizations;
drop table users;
