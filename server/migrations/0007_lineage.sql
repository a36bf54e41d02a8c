-- Where a model version comes from, as numbers: from an experiment, a run or a dataset back to the versions is then one
-- descent of an index, whether the version names the run itself or only the logged model that the run made.

alter table registry.model_versions
  -- Null where what the version names is not there, or is in another workspace. Not foreign keys: what they name
  -- may be purged, and the version stays as it is.
  add column origin_run_id integer,
  add column origin_experiment_id integer;

-- A trigger rather than statements of the writers: processes of the version before, and imports, write versions too.
create function registry.set_origin() returns trigger language plpgsql as $$
begin
  select r.run_id, r.experiment_id into new.origin_run_id, new.origin_experiment_id
  from tracking.runs as r join tracking.experiments as e using (experiment_id)
  join registry.registered_models as m on m.workspace_id = e.workspace_id
  where r.run_uuid = new.run_uuid and m.model_key = new.model_key;
  if not found and new.model_id is not null then
    select s.run_id, l.experiment_id into new.origin_run_id, new.origin_experiment_id
    from tracking.logged_models as l join tracking.experiments as e using (experiment_id)
    join registry.registered_models as m on m.workspace_id = e.workspace_id
    left join (tracking.runs as s join tracking.experiments as f on f.experiment_id = s.experiment_id)
      on s.run_uuid = l.source_run_uuid and f.workspace_id = e.workspace_id
    where l.model_id = new.model_id and m.model_key = new.model_key;
  end if;
  return new;
end $$;
create trigger model_versions_set_origin before insert or update of run_uuid, model_id on registry.model_versions
  for each row when (new.run_uuid <> '' or new.model_id is not null) execute function registry.set_origin();

-- The same for what is there, as joins.
update registry.model_versions as v set origin_run_id = r.run_id, origin_experiment_id = r.experiment_id
from tracking.runs as r join tracking.experiments as e using (experiment_id)
join registry.registered_models as m on m.workspace_id = e.workspace_id
where r.run_uuid = v.run_uuid and m.model_key = v.model_key;

update registry.model_versions as v set origin_run_id = s.run_id, origin_experiment_id = l.experiment_id
from tracking.logged_models as l join tracking.experiments as e using (experiment_id)
join registry.registered_models as m on m.workspace_id = e.workspace_id
left join (tracking.runs as s join tracking.experiments as f on f.experiment_id = s.experiment_id)
  on s.run_uuid = l.source_run_uuid and f.workspace_id = e.workspace_id
where v.origin_experiment_id is null and l.model_id = v.model_id and m.model_key = v.model_key;

create index model_versions_origin_run on registry.model_versions (origin_run_id, version_key)
  where origin_run_id is not null;
create index model_versions_origin_experiment on registry.model_versions (origin_experiment_id, version_key)
  where origin_experiment_id is not null;
create index model_versions_logged_model on registry.model_versions (model_id, version_key) where model_id is not null;
drop index registry.model_versions_model_id;

-- A dataset is known by its name and digest in whatever experiment it was used.
create index datasets_digest on tracking.datasets (digest, name, dataset_id);
create index run_datasets_dataset_run on tracking.run_datasets (dataset_id, run_id);
drop index tracking.run_datasets_dataset_id;
