-- What is kept without its pipeline, how much there is without counting it, and who made it without reading it.

-- Builds and schedules outlive their pipeline: images stay in their registries, and orchestrators keep their times.
alter table pipelines.builds
  drop constraint builds_pipeline_id_fkey,
  add constraint builds_pipeline_id_fkey foreign key (pipeline_id) references pipelines.pipelines on delete set null;
alter table pipelines.schedules
  drop constraint schedules_pipeline_id_fkey,
  add constraint schedules_pipeline_id_fkey foreign key (pipeline_id) references pipelines.pipelines
    on delete set null;

-- How many rows of a kind a workspace has, so that a page of a million of them need not count them. Each connection
-- adds to a row of its own, as far as 64 go, so that those who write at once do not wait for one another.
create table pipelines.row_counts (
  workspace_id integer not null
    constraint row_counts_workspace_id_fkey references identity.workspaces on delete cascade,
  kind text collate "C" not null,
  shard smallint not null,
  total bigint not null,
  constraint row_counts_pkey primary key (workspace_id, kind, shard)
) with (fillfactor = 20);

create function pipelines.count_inserted_rows() returns trigger language plpgsql as $$
begin
  insert into pipelines.row_counts as c (workspace_id, kind, shard, total)
  select workspace_id, tg_table_name, pg_backend_pid() % 64, count(*)
  from inserted group by workspace_id order by workspace_id
  on conflict (workspace_id, kind, shard) do update set total = c.total + excluded.total;
  return null;
end $$;

create function pipelines.count_deleted_rows() returns trigger language plpgsql as $$
begin
  insert into pipelines.row_counts as c (workspace_id, kind, shard, total)
  select workspace_id, tg_table_name, pg_backend_pid() % 64, -count(*)
  from deleted group by workspace_id order by workspace_id
  on conflict (workspace_id, kind, shard) do update set total = c.total + excluded.total;
  return null;
end $$;

create trigger steps_inserted after insert on pipelines.steps referencing new table as inserted
  for each statement execute function pipelines.count_inserted_rows();
create trigger steps_deleted after delete on pipelines.steps referencing old table as deleted
  for each statement execute function pipelines.count_deleted_rows();
create trigger artifact_versions_inserted after insert on pipelines.artifact_versions
  referencing new table as inserted for each statement execute function pipelines.count_inserted_rows();
create trigger artifact_versions_deleted after delete on pipelines.artifact_versions
  referencing old table as deleted for each statement execute function pipelines.count_deleted_rows();

-- Nothing is written between the triggers and this.
insert into pipelines.row_counts (workspace_id, kind, shard, total)
select workspace_id, 'steps', 0, count(*) from pipelines.steps group by workspace_id
union all
select workspace_id, 'artifact_versions', 0, count(*) from pipelines.artifact_versions group by workspace_id;

-- Whose they are, for lists by user, and for the account that is deleted. On a server where nobody logs in they cost
-- nothing; else the rows of one person are next to one another, and packed: 5 MB for 1,000,000 steps.
create index steps_user_id on pipelines.steps (user_id, workspace_id) where user_id is not null;
create index artifact_versions_user_id on pipelines.artifact_versions (user_id, workspace_id)
  where user_id is not null;
create index snapshots_user_id on pipelines.snapshots (user_id, workspace_id) where user_id is not null;

-- Rows of some kilobytes stay in their page as they came: to pack the texts of 1,000 steps took three quarters of the
-- time to write them (76 in place of 24 ms), and they are read often.
alter table pipelines.snapshot_steps set (toast_tuple_target = 8160);
