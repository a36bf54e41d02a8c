-- Whose artifacts a key of the server's own store belongs to: the places that somebody chose for an experiment.

-- The key below which an experiment's artifacts are; null for places elsewhere.
create function tracking.own_place(location text) returns text language sql immutable parallel safe
return case
  when location ~* '^mlflow-artifacts:'
    then btrim(regexp_replace(regexp_replace(location, '^mlflow-artifacts:(//[^/]*)?', '', 'i'), '/+', '/', 'g'), '/')
  when location ~* '^https?:' and strpos(location, '/api/2.0/mlflow-artifacts/artifacts/') > 0
    then btrim(regexp_replace(
      substr(location, strpos(location, '/api/2.0/mlflow-artifacts/artifacts/') + 36), '/+', '/', 'g'), '/')
end;

-- Of as many characters as fit into an index, four bytes each.
create index experiments_own_place on tracking.experiments
  ((left(tracking.own_place(artifact_location), 600) collate "C"));
