delete from searchable_people;
