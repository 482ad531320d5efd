drop table slug_aliases;
