drop table join_links;
