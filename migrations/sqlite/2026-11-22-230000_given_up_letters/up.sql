-- Operators and their instruments ask often how many there are.
create index outbox_given_up_idx on outbox (given_up_at) where given_up_at is not null;
