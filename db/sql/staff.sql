-- name: add
insert into staff (organization_id, branch_id, role, login, name, password_hash)
select o.id, (select id from branches where organization_id = o.id and code = $2::text), $3, $4, $5, $6
  from organizations o where o.name = $1 and ($2::text is null or exists (select from branches where organization_id = o.id and code = $2::text))
on conflict (login) do nothing
returning id

-- name: listing
select s.login, s.name, s.role, b.code as branch, s.active
  from staff s left join branches b on b.id = s.branch_id
 where s.branch_id is null and may_touch($1, null) or may_touch($1, s.branch_id)
 order by s.login
