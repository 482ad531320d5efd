truncate searchable_people;
