drop index audit_subject_idx;
drop index audit_actor_idx;
drop index audit_outcome_idx;
drop index audit_action_idx;
