drop table service_keys;
drop table services;
