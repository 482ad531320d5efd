-- As on PostgreSQL, where instances follow the feed by the transactions that they have seen. SQLite has one writer, and
-- its numbers become visible in order.
alter table changes add column xid integer not null default 0;

-- The rows that an instance reads when it starts, in pages.
create index changes_page_idx on changes (expires_at, seq);
drop index changes_expires_idx;
