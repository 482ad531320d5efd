-- Each filter of `GET /api/audit` is a range of one of these; `audit_organization_idx` serves those without.
create index audit_action_idx on audit (organization_id, action, id);
create index audit_outcome_idx on audit (organization_id, outcome, id);
create index audit_actor_idx on audit (organization_id, actor_id, id);
create index audit_subject_idx on audit (organization_id, subject_id, id);
