-- Who did what, from where. Rows are only added; what is older than the retention is removed by the server.
create table identity.audit_events (
  event_id bigint generated always as identity constraint audit_events_pkey primary key,
  -- Milliseconds since 1970.
  at bigint not null,
  -- As they were called then: a principal that is deleted stays in its events.
  principal_id integer,
  principal text collate "C",
  principal_kind text,
  credential_kind text not null,
  credential_id text,
  address text not null,
  action text collate "C" not null,
  resource_type text collate "C",
  resource_id text collate "C",
  workspace text collate "C",
  outcome text not null constraint audit_events_outcome_check check (outcome in ('allowed', 'denied', 'failed')),
  details jsonb,
  -- Requests that this row stands for: refused ones of one kind within a minute share a row.
  count integer not null default 1
);
create index audit_events_at on identity.audit_events (at, event_id);
create index audit_events_principal on identity.audit_events (principal, at, event_id);
create index audit_events_resource on identity.audit_events (resource_type, resource_id, at, event_id);
create index audit_events_workspace on identity.audit_events (workspace, at, event_id) where workspace is not null;
create index audit_events_action on identity.audit_events (action, at, event_id);

create function identity.audit_is_append_only() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('plinth.audit_retention', true) = 'on' then
    return null;
  end if;
  raise exception 'the audit log is append-only';
end
$$;
create trigger audit_events_append_only before update or delete or truncate on identity.audit_events
  for each statement execute function identity.audit_is_append_only();
