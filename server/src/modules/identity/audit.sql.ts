import { sql, type RawBuilder } from "kysely";
import type { Database, Prepared, Queryable } from "../../kernel/database.ts";
import type { AuditRow } from "./audit.ts";

export type NewAuditRow = Omit<AuditRow, "event_id"> & { principal_id: number | null };

const insertEventsText: Prepared = {
  name: "identity_insert_audit_events",
  text: `
    insert into identity.audit_events (at, principal_id, principal, principal_kind, credential_kind, credential_id,
      address, action, resource_type, resource_id, workspace, outcome, details, count)
    select at, principal_id, principal, principal_kind, credential_kind, credential_id,
      address, action, resource_type, resource_id, workspace, outcome, details, count
    from rows from (
      jsonb_to_recordset($1::jsonb) as (at bigint, principal_id integer, principal text, principal_kind text,
        credential_kind text, credential_id text, address text, action text, resource_type text, resource_id text,
        workspace text, outcome text, details jsonb, count integer)
    ) with ordinality as event (at, principal_id, principal, principal_kind, credential_kind, credential_id,
      address, action, resource_type, resource_id, workspace, outcome, details, count, place)
    order by place`,
};

export async function insertEvents(database: Queryable, rows: readonly NewAuditRow[]): Promise<void> {
  await database.prepared(insertEventsText, [JSON.stringify(rows)]);
}

export type AuditFilter = {
  /** Milliseconds since 1970; `to` is not included. */
  from?: number;
  to?: number;
  principal?: string;
  /** Ends with `*` for all that begin so: `experiments.*`. */
  action?: string;
  resourceType?: string;
  resourceId?: string;
  workspace?: string;
  outcome?: AuditRow["outcome"];
  address?: string;
};

export type AuditPlace = { at: number; eventId: number };

const COLUMNS = sql`event_id, at, principal, principal_kind, credential_kind, credential_id, address, action,
  resource_type, resource_id, workspace, outcome, details, count`;

/** Newest first, or oldest first for an export. */
export async function selectEvents(
  database: Database,
  page: { filter: AuditFilter; after: AuditPlace | undefined; ascending: boolean; limit: number },
): Promise<AuditRow[]> {
  const { after, ascending } = page;
  const direction = ascending ? sql`asc` : sql`desc`;
  const conditions = conditionsOf(page.filter);
  if (after !== undefined) {
    const beyond = ascending ? sql`>` : sql`<`;
    conditions.push(sql`(at, event_id) ${beyond} (${after.at}::bigint, ${after.eventId}::bigint)`);
  }
  const where = conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `);
  return database.run<AuditRow>(
    sql`select ${COLUMNS} from identity.audit_events where ${where}
      order by at ${direction}, event_id ${direction} limit ${page.limit}`.compile(database.kysely),
  );
}

function conditionsOf(filter: AuditFilter): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [];
  const equal = (column: string, value: string | undefined): void => {
    if (value !== undefined) conditions.push(sql`${sql.ref(column)} = ${value}`);
  };
  if (filter.from !== undefined) conditions.push(sql`at >= ${filter.from}`);
  if (filter.to !== undefined) conditions.push(sql`at < ${filter.to}`);
  equal("principal", filter.principal);
  if (filter.action?.endsWith("*") === true) {
    conditions.push(sql`starts_with(action, ${filter.action.slice(0, -1)})`);
  } else equal("action", filter.action);
  equal("resource_type", filter.resourceType);
  equal("resource_id", filter.resourceId);
  equal("workspace", filter.workspace);
  equal("outcome", filter.outcome);
  equal("address", filter.address);
  return conditions;
}

const deleteEventsText: Prepared = {
  name: "identity_delete_audit_events",
  text: `
    with old as (select event_id from identity.audit_events where at < $1 order by at limit $2)
    delete from identity.audit_events where event_id in (select event_id from old) returning 1`,
};

/** Removes what is older than the retention, in steps that hold no lock for long. */
export async function deleteEvents(database: Database, before: number): Promise<number> {
  let removed = 0;
  for (;;) {
    const rows = await database.transaction(async (transaction) => {
      await transaction.prepared(allowRetentionText, []);
      return transaction.prepared(deleteEventsText, [before, STEP]);
    });
    removed += rows.length;
    if (rows.length < STEP) return removed;
  }
}

const STEP = 10_000;

const allowRetentionText: Prepared = {
  name: "identity_allow_audit_retention",
  text: "select set_config('plinth.audit_retention', 'on', true)",
};
