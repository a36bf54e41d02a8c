-- A workspace that was deleted with all that was in it: hidden, under a name no workspace can have, until its
-- contents are purged. Milliseconds since 1970.
alter table identity.workspaces add column deleted_at bigint;

-- A page of one workspace without walking over the others.
create index experiments_workspace_creation on tracking.experiments
  (workspace_id, creation_time desc, experiment_id);
