-- The name stands on the ticket, where it is read; here it was kept and nobody read it.

alter table customers drop column name;
