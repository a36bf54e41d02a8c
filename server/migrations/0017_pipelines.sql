-- ZenML's control plane: stacks with their components, connectors and secrets, which all projects share, and pipelines
-- with their runs, steps, artifacts and models, which are in one workspace (ZenML calls it a project).
-- Times are microseconds since 1970, as ZenML's clients send and compare them. Columns called `..._json` hold JSON as
-- it came, digit for digit; what is asked about in statements has columns of its own.

alter table identity.workspaces
  add column uuid uuid not null default gen_random_uuid() constraint workspaces_uuid_key unique,
  add column display_name text,
  add column metadata_json text;

alter table identity.principals
  add column user_metadata_json text,
  add column avatar_url text,
  add column email_opted_in boolean,
  -- What the identity provider of a managed service knows a user by, and says of them.
  add column external_user_id uuid,
  add column oidc_claims_json text,
  add column default_workspace_id integer
    constraint principals_default_workspace_id_fkey references identity.workspaces on delete set null;

create schema pipelines;

-- Settings of this server as its dashboard knows them.
create table pipelines.server_settings (
  only_row boolean not null default true constraint server_settings_pkey primary key
    constraint server_settings_only_row_check check (only_row),
  server_name text not null default 'default',
  logo_url text,
  enable_analytics boolean not null default false,
  display_announcements boolean not null default false,
  display_updates boolean not null default false,
  -- The digest of the built-in flavors that were written last.
  flavors_digest text,
  updated bigint not null
);
insert into pipelines.server_settings (updated) values ((extract(epoch from now()) * 1000000)::bigint);

create table pipelines.secrets (
  id uuid not null constraint secrets_pkey primary key,
  user_id uuid constraint secrets_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  private boolean not null default false,
  sealed_values text not null,
  created bigint not null,
  updated bigint not null
);
create unique index secrets_public_name_key on pipelines.secrets (name) where not private;
create unique index secrets_private_name_key on pipelines.secrets (user_id, name) nulls not distinct where private;

create table pipelines.service_connectors (
  id uuid not null constraint service_connectors_pkey primary key,
  user_id uuid constraint service_connectors_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null constraint service_connectors_name_key unique,
  description text not null default '',
  connector_type text collate "C" not null,
  auth_method text collate "C" not null,
  resource_types text[] not null default '{}',
  resource_id text,
  supports_instances boolean not null default false,
  expires_at bigint,
  expires_skew_tolerance integer,
  expiration_seconds integer,
  -- What of the configuration is no secret, and the rest.
  configuration_json text not null default '{}',
  sealed_secrets text,
  labels_json text not null default '{}',
  created bigint not null,
  updated bigint not null
);

create table pipelines.flavors (
  id uuid not null constraint flavors_pkey primary key,
  -- Null for those that come with ZenML.
  user_id uuid constraint flavors_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  type text collate "C" not null,
  display_name text not null,
  integration text,
  source text not null,
  config_schema_json text not null,
  connector_type text,
  connector_resource_type text,
  connector_resource_id_attr text,
  logo_url text,
  docs_url text,
  sdk_docs_url text,
  is_custom boolean not null default true,
  created bigint not null,
  updated bigint not null,
  constraint flavors_name_key unique (type, name)
);

create table pipelines.components (
  id uuid not null constraint components_pkey primary key,
  user_id uuid constraint components_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  type text collate "C" not null,
  -- The name of a flavor of this type.
  flavor_name text collate "C" not null,
  configuration_json text not null,
  environment_json text not null default '{}',
  secrets uuid[] not null default '{}',
  labels_json text,
  connector_id uuid constraint components_connector_id_fkey references pipelines.service_connectors on delete set null,
  connector_resource_id text,
  created bigint not null,
  updated bigint not null,
  constraint components_name_key unique (type, name),
  constraint components_flavor_fkey foreign key (type, flavor_name) references pipelines.flavors (type, name)
    on update cascade
);
create index components_connector_id on pipelines.components (connector_id);
create index components_flavor on pipelines.components (type, flavor_name);
create index components_created on pipelines.components (created, id);

create table pipelines.stacks (
  id uuid not null constraint stacks_pkey primary key,
  user_id uuid constraint stacks_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null constraint stacks_name_key unique,
  description text,
  stack_spec_path text,
  environment_json text not null default '{}',
  secrets uuid[] not null default '{}',
  labels_json text,
  created bigint not null,
  updated bigint not null
);
create index stacks_created on pipelines.stacks (created, id);

create table pipelines.stack_components (
  stack_id uuid not null constraint stack_components_stack_id_fkey references pipelines.stacks on delete cascade,
  component_id uuid not null constraint stack_components_component_id_fkey references pipelines.components,
  -- Among those of its type in the stack.
  position integer not null,
  constraint stack_components_pkey primary key (stack_id, component_id)
);
create index stack_components_component_id on pipelines.stack_components (component_id);

create table pipelines.tags (
  id uuid not null constraint tags_pkey primary key,
  user_id uuid constraint tags_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null constraint tags_name_key unique,
  color text not null,
  exclusive boolean not null default false,
  created bigint not null,
  updated bigint not null
);

-- What a tag is on; removed by whoever deletes the resource.
create table pipelines.tag_resources (
  id uuid not null constraint tag_resources_pkey primary key,
  tag_id uuid not null constraint tag_resources_tag_id_fkey references pipelines.tags on delete cascade,
  resource_id uuid not null,
  resource_type text collate "C" not null,
  -- Of exclusive tags: among what the resource is the only one that has it, such as the runs of this pipeline.
  scope_id uuid,
  created bigint not null,
  updated bigint not null,
  constraint tag_resources_key unique (resource_id, tag_id, resource_type)
);
create unique index tag_resources_scope_key on pipelines.tag_resources (scope_id, tag_id, resource_type)
  where scope_id is not null;
create index tag_resources_tag_id on pipelines.tag_resources (tag_id, resource_type);

create table pipelines.code_repositories (
  id uuid not null constraint code_repositories_pkey primary key,
  workspace_id integer not null constraint code_repositories_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint code_repositories_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  config_json text not null,
  source_json text not null,
  logo_url text,
  description text,
  created bigint not null,
  updated bigint not null,
  constraint code_repositories_name_key unique (workspace_id, name)
);

create table pipelines.code_references (
  id uuid not null constraint code_references_pkey primary key,
  workspace_id integer not null constraint code_references_workspace_id_fkey references identity.workspaces,
  code_repository_id uuid not null
    constraint code_references_code_repository_id_fkey references pipelines.code_repositories on delete cascade,
  commit text not null,
  subdirectory text not null,
  created bigint not null,
  updated bigint not null,
  constraint code_references_key unique (code_repository_id, commit, subdirectory)
);

create table pipelines.pipelines (
  id uuid not null constraint pipelines_pkey primary key,
  workspace_id integer not null constraint pipelines_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint pipelines_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  description text,
  -- How many runs were begun: the number of the newest.
  run_count integer not null default 0,
  created bigint not null,
  updated bigint not null,
  constraint pipelines_name_key unique (workspace_id, name)
);

create table pipelines.builds (
  id uuid not null constraint builds_pkey primary key,
  workspace_id integer not null constraint builds_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint builds_user_id_fkey references identity.principals (uuid),
  pipeline_id uuid constraint builds_pipeline_id_fkey references pipelines.pipelines on delete cascade,
  stack_id uuid constraint builds_stack_id_fkey references pipelines.stacks on delete set null,
  images_json text not null,
  is_local boolean not null,
  contains_code boolean not null,
  zenml_version text,
  python_version text,
  checksum text,
  stack_checksum text,
  duration integer,
  created bigint not null,
  updated bigint not null
);
create index builds_pipeline_id on pipelines.builds (pipeline_id);
create index builds_stack_id on pipelines.builds (stack_id);
create index builds_created on pipelines.builds (workspace_id, created, id);

create table pipelines.schedules (
  id uuid not null constraint schedules_pkey primary key,
  workspace_id integer not null constraint schedules_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint schedules_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  active boolean not null,
  cron_expression text,
  start_time bigint,
  end_time bigint,
  interval_second double precision,
  catchup boolean not null default false,
  run_once_start_time bigint,
  orchestrator_id uuid constraint schedules_orchestrator_id_fkey references pipelines.components on delete set null,
  pipeline_id uuid constraint schedules_pipeline_id_fkey references pipelines.pipelines on delete cascade,
  is_archived boolean not null default false,
  created bigint not null,
  updated bigint not null,
  constraint schedules_name_key unique (workspace_id, name)
);
create index schedules_pipeline_id on pipelines.schedules (pipeline_id);
create index schedules_orchestrator_id on pipelines.schedules (orchestrator_id);

-- What a pipeline was when it was run, deployed or kept under a name; ZenML 0.84 calls it a deployment.
create table pipelines.snapshots (
  id uuid not null constraint snapshots_pkey primary key,
  workspace_id integer not null constraint snapshots_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint snapshots_user_id_fkey references identity.principals (uuid),
  name text collate "C",
  description text,
  pipeline_id uuid constraint snapshots_pipeline_id_fkey references pipelines.pipelines on delete cascade,
  stack_id uuid constraint snapshots_stack_id_fkey references pipelines.stacks on delete set null,
  build_id uuid constraint snapshots_build_id_fkey references pipelines.builds on delete set null,
  schedule_id uuid constraint snapshots_schedule_id_fkey references pipelines.schedules on delete set null,
  code_reference_id uuid
    constraint snapshots_code_reference_id_fkey references pipelines.code_references on delete set null,
  template_id uuid,
  source_snapshot_id uuid
    constraint snapshots_source_snapshot_id_fkey references pipelines.snapshots on delete set null,
  is_dynamic boolean not null default false,
  step_count integer not null,
  run_name_template text not null,
  pipeline_configuration_json text not null,
  -- Without the list of Python packages, which is long and seldom asked for.
  client_environment_json text not null,
  python_packages_json text,
  client_version text,
  server_version text,
  pipeline_version_hash text,
  pipeline_spec_json text,
  source_code text,
  code_path text,
  created bigint not null,
  updated bigint not null,
  constraint snapshots_name_key unique (pipeline_id, name)
);
create index snapshots_created on pipelines.snapshots (workspace_id, created, id);
create index snapshots_named on pipelines.snapshots (workspace_id, created, id) where name is not null;
create index snapshots_stack_id on pipelines.snapshots (stack_id);
create index snapshots_build_id on pipelines.snapshots (build_id);
create index snapshots_schedule_id on pipelines.snapshots (schedule_id);
create index snapshots_code_reference_id on pipelines.snapshots (code_reference_id);
create index snapshots_source_snapshot_id on pipelines.snapshots (source_snapshot_id);

-- One row a step, so that a step is read without the 3,000 others.
create table pipelines.snapshot_steps (
  snapshot_id uuid not null
    constraint snapshot_steps_snapshot_id_fkey references pipelines.snapshots on delete cascade,
  name text collate "C" not null,
  position integer not null,
  upstream_steps text[] not null,
  spec_json text not null,
  -- What the step itself says, and the same laid over what its pipeline says for all.
  overrides_json text not null,
  config_json text not null,
  -- How often a failed step may be tried again.
  max_retries integer not null default 0,
  -- What of it a graph shows, so that a graph of 3,000 steps is drawn without reading 9 MB. Null: it is read.
  node_json text,
  constraint snapshot_steps_pkey primary key (snapshot_id, name)
);

create table pipelines.run_templates (
  id uuid not null constraint run_templates_pkey primary key,
  workspace_id integer not null constraint run_templates_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint run_templates_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  description text,
  hidden boolean not null default false,
  source_snapshot_id uuid
    constraint run_templates_source_snapshot_id_fkey references pipelines.snapshots on delete set null,
  created bigint not null,
  updated bigint not null,
  constraint run_templates_name_key unique (workspace_id, name)
);
create index run_templates_source_snapshot_id on pipelines.run_templates (source_snapshot_id);
alter table pipelines.snapshots add constraint snapshots_template_id_fkey
  foreign key (template_id) references pipelines.run_templates on delete set null;
create index snapshots_template_id on pipelines.snapshots (template_id);

-- A snapshot served over HTTP by a deployer of its stack.
create table pipelines.deployments (
  id uuid not null constraint deployments_pkey primary key,
  workspace_id integer not null constraint deployments_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint deployments_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  snapshot_id uuid constraint deployments_snapshot_id_fkey references pipelines.snapshots on delete set null,
  deployer_id uuid constraint deployments_deployer_id_fkey references pipelines.components on delete set null,
  url text,
  status text,
  deployment_metadata_json text not null default '{}',
  sealed_auth_key text,
  created bigint not null,
  updated bigint not null,
  constraint deployments_name_key unique (workspace_id, name)
);
create index deployments_snapshot_id on pipelines.deployments (snapshot_id);
create index deployments_deployer_id on pipelines.deployments (deployer_id);

create table pipelines.webhooks (
  id uuid not null constraint webhooks_pkey primary key,
  workspace_id integer not null constraint webhooks_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint webhooks_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  webhook_type text collate "C" not null,
  active boolean not null default true,
  sealed_secret text not null,
  -- What came in so far.
  received_count bigint not null default 0,
  accepted_count bigint not null default 0,
  auth_failed_count bigint not null default 0,
  invalid_payload_count bigint not null default 0,
  last_received_at bigint,
  last_accepted_at bigint,
  last_error_at bigint,
  last_error_summary text,
  created bigint not null,
  updated bigint not null,
  constraint webhooks_name_key unique (workspace_id, name)
);

-- The newest events of each webhook, as they came.
create table pipelines.webhook_events (
  webhook_id uuid not null
    constraint webhook_events_webhook_id_fkey references pipelines.webhooks on delete cascade,
  delivery_id text collate "C" not null,
  body_json text not null,
  created bigint not null,
  constraint webhook_events_pkey primary key (webhook_id, delivery_id)
);
create index webhook_events_created on pipelines.webhook_events (webhook_id, created, delivery_id);

create table pipelines.triggers (
  id uuid not null constraint triggers_pkey primary key,
  workspace_id integer not null constraint triggers_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint triggers_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  type text collate "C" not null,
  flavor text collate "C" not null,
  active boolean not null default true,
  concurrency text collate "C" not null,
  is_archived boolean not null default false,
  -- What its type says besides: when, of which entity, of which webhook.
  data_json text not null,
  webhook_id uuid constraint triggers_webhook_id_fkey references pipelines.webhooks,
  next_occurrence bigint,
  created bigint not null,
  updated bigint not null
);
create unique index triggers_name_key on pipelines.triggers (workspace_id, name) where not is_archived;
create index triggers_webhook_id on pipelines.triggers (webhook_id);
create index triggers_created on pipelines.triggers (workspace_id, created, id);
create index triggers_next_occurrence on pipelines.triggers (next_occurrence) where active and not is_archived;

create table pipelines.trigger_snapshots (
  trigger_id uuid not null constraint trigger_snapshots_trigger_id_fkey references pipelines.triggers on delete cascade,
  snapshot_id uuid not null
    constraint trigger_snapshots_snapshot_id_fkey references pipelines.snapshots on delete cascade,
  dispatch_state_json text,
  created bigint not null,
  constraint trigger_snapshots_pkey primary key (trigger_id, snapshot_id)
);
create index trigger_snapshots_snapshot_id on pipelines.trigger_snapshots (snapshot_id);

create table pipelines.models (
  id uuid not null constraint models_pkey primary key,
  workspace_id integer not null constraint models_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint models_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  license text,
  description text,
  audience text,
  use_cases text,
  limitations text,
  trade_offs text,
  ethics text,
  save_models_to_registry boolean not null default true,
  created bigint not null,
  updated bigint not null,
  constraint models_name_key unique (workspace_id, name)
);

create index models_created on pipelines.models (workspace_id, created, id);

create table pipelines.model_versions (
  id uuid not null constraint model_versions_pkey primary key,
  workspace_id integer not null constraint model_versions_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint model_versions_user_id_fkey references identity.principals (uuid),
  model_id uuid not null constraint model_versions_model_id_fkey references pipelines.models on delete cascade,
  name text collate "C" not null,
  number integer not null,
  description text,
  -- `none` where nobody set one.
  stage text collate "C",
  -- The run that made it, where the server numbered it for that run.
  producer_run_id uuid,
  created bigint not null,
  updated bigint not null,
  constraint model_versions_name_key unique (model_id, name),
  constraint model_versions_number_key unique (model_id, number)
);
create unique index model_versions_stage_key on pipelines.model_versions (model_id, stage)
  where stage in ('staging', 'production');
create unique index model_versions_producer_run_id on pipelines.model_versions (producer_run_id, model_id)
  where producer_run_id is not null;
create index model_versions_created on pipelines.model_versions (workspace_id, created, id);

create table pipelines.runs (
  id uuid not null constraint runs_pkey primary key,
  workspace_id integer not null constraint runs_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint runs_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  pipeline_id uuid constraint runs_pipeline_id_fkey references pipelines.pipelines on delete cascade,
  -- Kept here besides in the snapshot, so that lists filter without it.
  stack_id uuid constraint runs_stack_id_fkey references pipelines.stacks on delete set null,
  snapshot_id uuid constraint runs_snapshot_id_fkey references pipelines.snapshots on delete cascade,
  orchestrator_run_id text collate "C",
  status text collate "C" not null,
  in_progress boolean not null,
  status_reason text,
  -- Among the runs of its pipeline.
  index integer not null,
  start_time bigint,
  end_time bigint,
  orchestrator_environment_json text not null default '{}',
  -- As its snapshot says, for the rules by which its status follows from its steps.
  is_dynamic boolean not null default false,
  step_count integer not null default 0,
  execution_mode text collate "C" not null default 'continue_on_failure',
  -- What began it: a step of another run, or a deployment. Nothing keeps them from being deleted.
  triggered_by_step_run_id uuid,
  triggered_by_deployment_id uuid,
  trigger_id uuid constraint runs_trigger_id_fkey references pipelines.triggers on delete set null,
  model_version_id uuid
    constraint runs_model_version_id_fkey references pipelines.model_versions on delete set null,
  original_run_id uuid constraint runs_original_run_id_fkey references pipelines.runs on delete set null,
  parent_run_id uuid constraint runs_parent_run_id_fkey references pipelines.runs on delete set null,
  root_run_id uuid constraint runs_root_run_id_fkey references pipelines.runs on delete set null,
  child_key text,
  exception_info_json text,
  enable_heartbeat boolean not null default false,
  -- `{name: id of the artifact version}` of a dynamic pipeline.
  outputs_json text,
  -- Of the last request that changed it, by which a repetition is known.
  change_id uuid,
  created bigint not null,
  updated bigint not null,
  constraint runs_name_key unique (workspace_id, name),
  constraint runs_orchestrator_run_id_key unique (snapshot_id, orchestrator_run_id)
);
create index runs_created on pipelines.runs (workspace_id, created, id);
create index runs_pipeline_id on pipelines.runs (pipeline_id, created, id);
create index runs_stack_id on pipelines.runs (stack_id, created, id);
create index runs_status on pipelines.runs (workspace_id, status, created, id);
create index runs_user_id on pipelines.runs (user_id, created, id);
create index runs_in_progress on pipelines.runs (workspace_id, created, id) where in_progress;
create index runs_model_version_id on pipelines.runs (model_version_id) where model_version_id is not null;
create index runs_trigger_id on pipelines.runs (trigger_id, created, id) where trigger_id is not null;
create index runs_original_run_id on pipelines.runs (original_run_id) where original_run_id is not null;
create unique index runs_child_key on pipelines.runs (parent_run_id, child_key) where parent_run_id is not null;
create index runs_root_run_id on pipelines.runs (root_run_id) where root_run_id is not null;
create index runs_triggered_by_step_run_id on pipelines.runs (triggered_by_step_run_id)
  where triggered_by_step_run_id is not null;
create index runs_triggered_by_deployment_id on pipelines.runs (triggered_by_deployment_id)
  where triggered_by_deployment_id is not null;

-- How many runs a workspace has, so that a page of 100,000 runs need not count them: by sixteen rows, so that those
-- who begin runs at once do not wait for one another.
create table pipelines.run_counts (
  workspace_id integer not null
    constraint run_counts_workspace_id_fkey references identity.workspaces on delete cascade,
  shard smallint not null,
  runs bigint not null,
  constraint run_counts_pkey primary key (workspace_id, shard)
);

create function pipelines.count_inserted_runs() returns trigger language plpgsql as $$
begin
  insert into pipelines.run_counts as c (workspace_id, shard, runs)
  select workspace_id, pg_backend_pid() % 16, count(*) from inserted group by workspace_id order by workspace_id
  on conflict (workspace_id, shard) do update set runs = c.runs + excluded.runs;
  return null;
end $$;

create function pipelines.count_deleted_runs() returns trigger language plpgsql as $$
begin
  insert into pipelines.run_counts as c (workspace_id, shard, runs)
  select workspace_id, pg_backend_pid() % 16, -count(*) from deleted group by workspace_id order by workspace_id
  on conflict (workspace_id, shard) do update set runs = c.runs + excluded.runs;
  return null;
end $$;

create trigger runs_inserted after insert on pipelines.runs referencing new table as inserted
  for each statement execute function pipelines.count_inserted_runs();
create trigger runs_deleted after delete on pipelines.runs referencing old table as deleted
  for each statement execute function pipelines.count_deleted_runs();

create table pipelines.steps (
  id uuid not null constraint steps_pkey primary key,
  workspace_id integer not null constraint steps_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint steps_user_id_fkey references identity.principals (uuid),
  run_id uuid not null constraint steps_run_id_fkey references pipelines.runs on delete cascade,
  snapshot_id uuid not null constraint steps_snapshot_id_fkey references pipelines.snapshots on delete cascade,
  name text collate "C" not null,
  -- Counts the attempts.
  version integer not null,
  type text collate "C",
  status text collate "C" not null,
  is_retriable boolean not null default false,
  start_time bigint,
  end_time bigint,
  latest_heartbeat bigint,
  -- Minutes without a heartbeat after which the step counts as lost.
  heartbeat_threshold integer,
  cache_key text collate "C",
  cache_expires_at bigint,
  code_hash text,
  docstring text,
  source_code text,
  original_step_run_id uuid
    constraint steps_original_step_run_id_fkey references pipelines.steps on delete set null,
  model_version_id uuid
    constraint steps_model_version_id_fkey references pipelines.model_versions on delete set null,
  exception_info_json text,
  -- Of a step that its snapshot does not hold, as those of dynamic pipelines.
  spec_json text,
  config_json text,
  node_json text,
  substitutions_json text not null default '{}',
  -- As of runs.
  change_id uuid,
  created bigint not null,
  updated bigint not null,
  constraint steps_name_key unique (run_id, name, version)
);
create index steps_created on pipelines.steps (workspace_id, created, id);
create index steps_of_run on pipelines.steps (run_id, created, id);
create index steps_cache_key on pipelines.steps (workspace_id, cache_key, created) where status = 'completed';
create index steps_snapshot_id on pipelines.steps (snapshot_id);
create index steps_status on pipelines.steps (run_id, status);
create index steps_original_step_run_id on pipelines.steps (original_step_run_id)
  where original_step_run_id is not null;
create index steps_model_version_id on pipelines.steps (model_version_id) where model_version_id is not null;

create table pipelines.step_parents (
  step_id uuid not null constraint step_parents_step_id_fkey references pipelines.steps on delete cascade,
  parent_id uuid not null constraint step_parents_parent_id_fkey references pipelines.steps on delete cascade,
  constraint step_parents_pkey primary key (step_id, parent_id)
);
create index step_parents_parent_id on pipelines.step_parents (parent_id);

create table pipelines.artifacts (
  id uuid not null constraint artifacts_pkey primary key,
  workspace_id integer not null constraint artifacts_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint artifacts_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  has_custom_name boolean not null default false,
  created bigint not null,
  updated bigint not null,
  -- Names first: references in filters are by name.
  constraint artifacts_name_key unique (name, workspace_id)
);
create index artifacts_created on pipelines.artifacts (workspace_id, created, id);

create table pipelines.artifact_versions (
  id uuid not null constraint artifact_versions_pkey primary key,
  workspace_id integer not null constraint artifact_versions_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint artifact_versions_user_id_fkey references identity.principals (uuid),
  artifact_id uuid not null
    constraint artifact_versions_artifact_id_fkey references pipelines.artifacts on delete cascade,
  version text collate "C" not null,
  -- Null where the version is no number.
  version_number integer,
  type text collate "C" not null,
  uri text not null,
  materializer_json text not null,
  data_type_json text not null,
  artifact_store_id uuid
    constraint artifact_versions_artifact_store_id_fkey references pipelines.components on delete set null,
  content_hash text,
  save_type text collate "C" not null,
  item_count integer,
  created bigint not null,
  updated bigint not null,
  constraint artifact_versions_version_key unique (artifact_id, version)
);
create index artifact_versions_created on pipelines.artifact_versions (workspace_id, created, id);
create index artifact_versions_number on pipelines.artifact_versions (artifact_id, version_number);
create index artifact_versions_of_artifact on pipelines.artifact_versions (artifact_id, created, id);
create index artifact_versions_artifact_store_id on pipelines.artifact_versions (artifact_store_id);
create index artifact_versions_uri on pipelines.artifact_versions using hash (uri);

create table pipelines.artifact_visualizations (
  id uuid not null constraint artifact_visualizations_pkey primary key,
  artifact_version_id uuid not null
    constraint artifact_visualizations_artifact_version_id_fkey
      references pipelines.artifact_versions on delete cascade,
  position integer not null,
  type text collate "C" not null,
  uri text not null,
  created bigint not null,
  updated bigint not null
);
create index artifact_visualizations_artifact_version_id
  on pipelines.artifact_visualizations (artifact_version_id, position);

create table pipelines.step_inputs (
  step_id uuid not null constraint step_inputs_step_id_fkey references pipelines.steps on delete cascade,
  name text collate "C" not null,
  position integer not null,
  artifact_version_id uuid not null
    constraint step_inputs_artifact_version_id_fkey references pipelines.artifact_versions on delete cascade,
  type text collate "C" not null,
  -- Which part of a list a mapped step was given.
  chunk_index integer,
  chunk_size integer,
  constraint step_inputs_pkey primary key (step_id, name, position, artifact_version_id)
);
create index step_inputs_artifact_version_id on pipelines.step_inputs (artifact_version_id);

create table pipelines.step_outputs (
  step_id uuid not null constraint step_outputs_step_id_fkey references pipelines.steps on delete cascade,
  name text collate "C" not null,
  position integer not null,
  artifact_version_id uuid not null
    constraint step_outputs_artifact_version_id_fkey references pipelines.artifact_versions on delete cascade,
  constraint step_outputs_pkey primary key (step_id, artifact_version_id)
);
create index step_outputs_artifact_version_id on pipelines.step_outputs (artifact_version_id);

create table pipelines.model_version_artifacts (
  id uuid not null constraint model_version_artifacts_pkey primary key,
  model_version_id uuid not null
    constraint model_version_artifacts_model_version_id_fkey references pipelines.model_versions on delete cascade,
  artifact_version_id uuid not null
    constraint model_version_artifacts_artifact_version_id_fkey
      references pipelines.artifact_versions on delete cascade,
  created bigint not null,
  updated bigint not null,
  constraint model_version_artifacts_key unique (model_version_id, artifact_version_id)
);
create index model_version_artifacts_artifact_version_id
  on pipelines.model_version_artifacts (artifact_version_id);

create table pipelines.model_version_runs (
  id uuid not null constraint model_version_runs_pkey primary key,
  model_version_id uuid not null
    constraint model_version_runs_model_version_id_fkey references pipelines.model_versions on delete cascade,
  pipeline_run_id uuid not null
    constraint model_version_runs_pipeline_run_id_fkey references pipelines.runs on delete cascade,
  created bigint not null,
  updated bigint not null,
  constraint model_version_runs_key unique (model_version_id, pipeline_run_id)
);
create index model_version_runs_pipeline_run_id on pipelines.model_version_runs (pipeline_run_id);

-- One value, for one or several runs, steps, artifact versions, model versions or schedules.
create table pipelines.run_metadata (
  id uuid not null constraint run_metadata_pkey primary key,
  workspace_id integer not null constraint run_metadata_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint run_metadata_user_id_fkey references identity.principals (uuid),
  key text collate "C" not null,
  value_json text not null,
  type text collate "C" not null,
  stack_component_id uuid
    constraint run_metadata_stack_component_id_fkey references pipelines.components on delete set null,
  publisher_step_id uuid constraint run_metadata_publisher_step_id_fkey references pipelines.steps on delete set null,
  created bigint not null
);
-- Filters ask for what was logged under a key, mostly as it is; long values are told apart by looking at them.
create index run_metadata_key on pipelines.run_metadata (workspace_id, key, left(value_json, 64));
create index run_metadata_stack_component_id on pipelines.run_metadata (stack_component_id);
create index run_metadata_publisher_step_id on pipelines.run_metadata (publisher_step_id);

create table pipelines.run_metadata_resources (
  resource_id uuid not null,
  metadata_id uuid not null
    constraint run_metadata_resources_metadata_id_fkey references pipelines.run_metadata on delete cascade,
  resource_type text collate "C" not null,
  constraint run_metadata_resources_pkey primary key (resource_id, metadata_id)
);
create index run_metadata_resources_metadata_id on pipelines.run_metadata_resources (metadata_id);

create table pipelines.hook_invocations (
  id uuid not null constraint hook_invocations_pkey primary key,
  workspace_id integer not null constraint hook_invocations_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint hook_invocations_user_id_fkey references identity.principals (uuid),
  name text collate "C",
  hook_type text collate "C" not null,
  status text collate "C" not null,
  source text,
  start_time bigint,
  end_time bigint,
  pipeline_run_id uuid not null
    constraint hook_invocations_pipeline_run_id_fkey references pipelines.runs on delete cascade,
  step_run_id uuid constraint hook_invocations_step_run_id_fkey references pipelines.steps on delete cascade,
  exception_info_json text,
  -- `{name: [ids of artifact versions]}`
  outputs_json text not null default '{}',
  created bigint not null,
  updated bigint not null
);
create index hook_invocations_pipeline_run_id on pipelines.hook_invocations (pipeline_run_id);
create index hook_invocations_step_run_id on pipelines.hook_invocations (step_run_id);
create index hook_invocations_created on pipelines.hook_invocations (workspace_id, created, id);

create table pipelines.logs (
  id uuid not null constraint logs_pkey primary key,
  workspace_id integer not null constraint logs_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint logs_user_id_fkey references identity.principals (uuid),
  uri text,
  source text collate "C" not null,
  pipeline_run_id uuid constraint logs_pipeline_run_id_fkey references pipelines.runs on delete cascade,
  step_run_id uuid constraint logs_step_run_id_fkey references pipelines.steps on delete cascade,
  hook_invocation_id uuid
    constraint logs_hook_invocation_id_fkey references pipelines.hook_invocations on delete cascade,
  artifact_store_id uuid constraint logs_artifact_store_id_fkey references pipelines.components on delete set null,
  log_store_id uuid constraint logs_log_store_id_fkey references pipelines.components on delete set null,
  created bigint not null,
  updated bigint not null
);
create index logs_pipeline_run_id on pipelines.logs (pipeline_run_id);
create index logs_step_run_id on pipelines.logs (step_run_id);
create index logs_hook_invocation_id on pipelines.logs (hook_invocation_id);
create index logs_workspace_id on pipelines.logs (workspace_id);

-- What clients sent here to keep: entries as lines of JSON, those of one request together. All the chunks of a log,
-- one behind the other, are what a file of it would be; places in it are counted in bytes.
create table pipelines.log_chunks (
  log_id uuid not null constraint log_chunks_log_id_fkey references pipelines.logs on delete cascade,
  start_byte bigint not null,
  end_byte bigint not null,
  -- Of what was sent, so that what is sent again is there once.
  digest bytea not null,
  lines bytea not null,
  constraint log_chunks_pkey primary key (log_id, start_byte),
  constraint log_chunks_digest_key unique (log_id, digest),
  constraint log_chunks_bytes_check check (end_byte - start_byte = octet_length(lines))
);

create table pipelines.run_wait_conditions (
  id uuid not null constraint run_wait_conditions_pkey primary key,
  workspace_id integer not null constraint run_wait_conditions_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint run_wait_conditions_user_id_fkey references identity.principals (uuid),
  run_id uuid not null constraint run_wait_conditions_run_id_fkey references pipelines.runs on delete cascade,
  name text collate "C" not null,
  type text collate "C" not null,
  status text collate "C" not null,
  question text,
  data_schema_json text,
  last_polled_at bigint,
  poller_instance_id text,
  poller_lease_expires_at bigint,
  resolved_at bigint,
  resolved_by_user_id uuid,
  resolution text collate "C",
  result_json text,
  created bigint not null,
  updated bigint not null,
  constraint run_wait_conditions_name_key unique (run_id, name)
);
create index run_wait_conditions_workspace_id on pipelines.run_wait_conditions (workspace_id, created, id);

create table pipelines.services (
  id uuid not null constraint services_pkey primary key,
  workspace_id integer not null constraint services_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint services_user_id_fkey references identity.principals (uuid),
  name text collate "C" not null,
  service_type_json text not null,
  -- Of the service type, for filters.
  type text collate "C",
  flavor text collate "C",
  service_source text,
  admin_state text collate "C",
  state text collate "C",
  config_json text not null,
  pipeline_name text,
  pipeline_step_name text,
  labels_json text,
  status_json text,
  endpoint_json text,
  prediction_url text,
  health_check_url text,
  model_version_id uuid
    constraint services_model_version_id_fkey references pipelines.model_versions on delete set null,
  pipeline_run_id uuid constraint services_pipeline_run_id_fkey references pipelines.runs on delete set null,
  created bigint not null,
  updated bigint not null
);
-- As ZenML has it: not two of the same configuration.
create unique index services_config_key on pipelines.services (workspace_id, md5(config_json));
create index services_workspace_id on pipelines.services (workspace_id, created, id);
create index services_model_version_id on pipelines.services (model_version_id);
create index services_pipeline_run_id on pipelines.services (pipeline_run_id);

create table pipelines.curated_visualizations (
  id uuid not null constraint curated_visualizations_pkey primary key,
  workspace_id integer not null constraint curated_visualizations_workspace_id_fkey references identity.workspaces,
  user_id uuid constraint curated_visualizations_user_id_fkey references identity.principals (uuid),
  artifact_visualization_id uuid not null
    constraint curated_visualizations_artifact_visualization_id_fkey
      references pipelines.artifact_visualizations on delete cascade,
  display_name text,
  display_order integer,
  layout_size text collate "C" not null,
  resource_id uuid not null,
  resource_type text collate "C" not null,
  created bigint not null,
  updated bigint not null,
  constraint curated_visualizations_key unique (resource_id, resource_type, artifact_visualization_id)
);
create unique index curated_visualizations_order_key
  on pipelines.curated_visualizations (resource_id, resource_type, display_order) where display_order is not null;
create index curated_visualizations_artifact_visualization_id
  on pipelines.curated_visualizations (artifact_visualization_id);
create index curated_visualizations_workspace_id on pipelines.curated_visualizations (workspace_id);
