import type { Prepared, Queryable } from "../../kernel/database.ts";

type Known = {
  principal_id: number;
  active: boolean;
  full_name: string | null;
  email: string | null;
  is_admin_by_group: boolean;
};

const selectExternalText: Prepared = {
  name: "identity_select_external",
  text: `
    select principal_id, active, full_name, email, is_admin_by_group from identity.principals
    where external_issuer = $1 and external_subject = $2`,
};

/** Whom the provider knows by this subject. */
export async function selectExternal(
  database: Queryable,
  { issuer, subject }: { issuer: string; subject: string },
): Promise<Known | undefined> {
  const [row] = await database.prepared<Known>(selectExternalText, [issuer, subject]);
  return row;
}

const insertExternalText: Prepared = {
  name: "identity_insert_external",
  text: `
    insert into identity.principals
      (kind, name, full_name, email, external_issuer, external_subject, creation_timestamp, last_updated_timestamp)
    values ('user', $1, $2, $3, $4, $5, $6, $6)
    on conflict do nothing returning principal_id`,
};

/** False where the name is taken, or somebody else with this subject came in between. */
export async function insertExternal(
  database: Queryable,
  user: {
    name: string;
    full_name: string | null;
    email: string | null;
    issuer: string;
    subject: string;
    now: number;
  },
): Promise<boolean> {
  const rows = await database.prepared(insertExternalText, [
    user.name,
    user.full_name,
    user.email,
    user.issuer,
    user.subject,
    user.now,
  ]);
  return rows.length > 0;
}

const updateExternalText: Prepared = {
  name: "identity_update_external",
  text: `
    update identity.principals
    set full_name = $2, email = $3, is_admin_by_group = $4, last_updated_timestamp = $5
    where principal_id = $1`,
};

export async function updateExternal(
  database: Queryable,
  user: {
    principal_id: number;
    full_name: string | null;
    email: string | null;
    is_admin_by_group: boolean;
    now: number;
  },
): Promise<void> {
  await database.prepared(updateExternalText, [
    user.principal_id,
    user.full_name,
    user.email,
    user.is_admin_by_group,
    user.now,
  ]);
}
