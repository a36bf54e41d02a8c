-- A receiver that is down is not asked again for every event that waits for it.

alter table registry.webhooks
  -- Attempts in a row that reached nobody.
  add column failures integer not null default 0,
  add column paused_until timestamptz;
