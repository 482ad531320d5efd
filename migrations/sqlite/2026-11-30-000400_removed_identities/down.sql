drop table detached_identities;
drop table removed_identities;
