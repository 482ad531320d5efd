-- Whoever fills the list of what is pending moves it into the index, so it is kept short.
create index concurrently searchable_people_tokens_idx on searchable_people
using gin (search_tokens(organization_id, text) collate "C") with (gin_pending_list_limit = 256);
