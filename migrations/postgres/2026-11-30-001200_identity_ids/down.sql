alter table identities drop column id;
