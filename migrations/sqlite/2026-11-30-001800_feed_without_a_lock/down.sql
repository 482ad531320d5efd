create index changes_expires_idx on changes (expires_at);
drop index changes_page_idx;
alter table changes drop column xid;
