drop table external_organizations;
drop table external_ids;
drop table imports;
