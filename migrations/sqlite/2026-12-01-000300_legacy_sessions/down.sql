alter table sessions drop column must_end_at;
alter table external_ids drop column sessions_ended_at;
drop table legacy_sessions;
