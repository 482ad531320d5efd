drop table failures_in_a_row;
drop table failed_attempts;
