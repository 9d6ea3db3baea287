-- The version of a branch is its greatest audit id: found by id and not by time, for clocks jump.

create index audit_by_branch_id on audit_log (branch_id, id);
