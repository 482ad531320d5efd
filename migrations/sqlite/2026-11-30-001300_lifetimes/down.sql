alter table organizations drop column session_idle;
alter table organizations drop column session_lifetime;
alter table organizations drop column token_lifetime;
