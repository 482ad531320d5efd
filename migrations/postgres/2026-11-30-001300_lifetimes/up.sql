-- How long sessions last that speak for the organization, in seconds; null: as the instance has it.
alter table organizations add column token_lifetime integer check (token_lifetime between 300 and 604800);
alter table organizations add column session_lifetime integer check (session_lifetime between 900 and 31536000);
alter table organizations add column session_idle integer check (session_idle between 300 and 31536000);
