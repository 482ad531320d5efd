drop trigger memberships_reporting_update on memberships;
drop trigger memberships_reporting_insert on memberships;
drop function keep_reporting_lines();
drop table reporting_lines;
