-- Whether somebody has signed in from a device at an address before.
create index sessions_origin_idx on sessions (user_id, address, device);
