drop index audit_subject_idx;
create index audit_subject_idx on audit (organization_id, subject_id, id);
