drop trigger memberships_reporting_update;
drop trigger memberships_reporting_insert;
drop table reporting_lines;
