-- What others did about a person, in every organization, also those that the person has left.
drop index audit_subject_idx;
create index audit_subject_idx on audit (subject_id, id);
