drop table one_time_tokens;
drop table slack_states;
drop table identities;
drop table workspaces;
