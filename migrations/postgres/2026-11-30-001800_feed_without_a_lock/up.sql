-- Instances follow the feed by the transactions that they have seen, not by numbers, so that writers need no lock.
-- Existing rows are read when an instance starts; the constant default rewrites no row.
alter table changes add column xid bigint not null default 0;
alter table changes alter column xid set default pg_current_xact_id()::text::bigint;
create index changes_xid_idx on changes (xid);

-- The rows that an instance reads when it starts, in pages.
create index changes_page_idx on changes (expires_at, seq);
drop index changes_expires_idx;
