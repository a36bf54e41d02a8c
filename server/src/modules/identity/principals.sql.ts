import type { Prepared, Queryable } from "../../kernel/database.ts";
import type { PrincipalRef } from "./principals.ts";

export type PrincipalRow = {
  principal_id: number;
  uuid: string;
  kind: "user" | "service_account";
  name: string;
  full_name: string | null;
  email: string | null;
  description: string | null;
  /** The hash itself is selected only where a password is checked. */
  has_password: boolean;
  password_changed_at: number | null;
  is_admin: boolean;
  is_admin_by_group: boolean;
  active: boolean;
  /** Set while the principal waits for its activation. */
  awaits_activation: boolean;
  external_issuer: string | null;
  external_subject: string | null;
  /** Texts that are JSON. */
  user_metadata_json: string | null;
  oidc_claims_json: string | null;
  avatar_url: string | null;
  /** Null where the user was not asked yet. */
  email_opted_in: boolean | null;
  external_user_id: string | null;
  /** The uuid of the workspace that the user works in where nothing is said. */
  default_workspace_uuid: string | null;
  creation_timestamp: number;
  last_updated_timestamp: number;
};

/** With the hash of the password, for where it is checked. */
export type PrincipalWithHash = PrincipalRow & { password_hash: string | null };

export const PRINCIPAL_COLUMNS = `principal_id, uuid, kind, name, full_name, email, description, password_hash is not null as has_password,
  password_changed_at, is_admin, is_admin_by_group, active, activation_hash is not null as awaits_activation,
  external_issuer, external_subject, user_metadata_json, oidc_claims_json, avatar_url, email_opted_in, external_user_id,
  (select w.uuid from identity.workspaces as w where w.workspace_id = default_workspace_id) as default_workspace_uuid,
  creation_timestamp, last_updated_timestamp`;

const by = (column: "principal_id" | "uuid" | "name"): Prepared => ({
  name: `identity_select_principal_by_${column}`,
  text: `select ${PRINCIPAL_COLUMNS} from identity.principals where ${column} = $1`,
});
const selectByIdText = by("principal_id");
const selectByUuidText = by("uuid");
const selectByNameText = by("name");

export async function selectPrincipal(
  database: Queryable,
  ref: PrincipalRef,
): Promise<PrincipalRow | undefined> {
  const [statement, value] =
    "principalId" in ref
      ? [selectByIdText, ref.principalId]
      : "uuid" in ref
        ? [selectByUuidText, ref.uuid]
        : [selectByNameText, ref.name];
  const [row] = await database.prepared<PrincipalRow>(statement, [value]);
  return row;
}

const selectWithHashText: Prepared = {
  name: "identity_select_principal_with_hash",
  text: `select ${PRINCIPAL_COLUMNS}, password_hash from identity.principals where name = $1`,
};

const selectByUuidsText: Prepared = {
  name: "identity_select_principals_by_uuids",
  text: `select ${PRINCIPAL_COLUMNS} from identity.principals where uuid = any ($1::uuid[])`,
};

export async function selectPrincipalsByUuids(
  database: Queryable,
  uuids: readonly string[],
): Promise<PrincipalRow[]> {
  return database.prepared<PrincipalRow>(selectByUuidsText, [uuids]);
}

export async function selectPrincipalWithHash(
  database: Queryable,
  name: string,
): Promise<PrincipalWithHash | undefined> {
  const [row] = await database.prepared<PrincipalWithHash>(selectWithHashText, [name]);
  return row;
}

const page = (name: string, ofKind: string): Prepared => ({
  name,
  text: `
    select ${PRINCIPAL_COLUMNS} from identity.principals
    where ${ofKind} and name > $1 and ($2::text is null or position($2 in name) > 0)
    order by name limit $3`,
});
// Of one kind in an index that holds no other: few service accounts are found among 100,000 users.
const selectPageText = page("identity_select_principals", "true");
const selectPageOfKindText = page("identity_select_principals_of_kind", "kind = $4");

export async function selectPrincipals(
  database: Queryable,
  which: { after: string; kind: string | undefined; contains: string | undefined; limit: number },
): Promise<PrincipalRow[]> {
  const values = [which.after, which.contains ?? null, which.limit];
  return which.kind === undefined
    ? database.prepared<PrincipalRow>(selectPageText, values)
    : database.prepared<PrincipalRow>(selectPageOfKindText, [...values, which.kind]);
}

const insertText: Prepared = {
  name: "identity_insert_principal",
  text: `
    insert into identity.principals (kind, name, full_name, email, description, password_hash, password_changed_at,
      is_admin, creation_timestamp, last_updated_timestamp, user_metadata_json, oidc_claims_json, avatar_url,
      email_opted_in, external_user_id)
    values ($1, $2, $3, $4, $5, $6, case when $6::text is null then null else $8::bigint end, $7, $8, $8, $9, $10, $11,
      $12, $13)
    on conflict on constraint principals_name_key do nothing returning ${PRINCIPAL_COLUMNS}`,
};

export type InsertedPrincipal = Pick<
  PrincipalWithHash,
  "kind" | "name" | "full_name" | "email" | "description" | "password_hash" | "is_admin"
> &
  PrincipalProfile;

/** What ZenML keeps of its users, and nothing here acts on. */
export type PrincipalProfile = Partial<
  Pick<
    PrincipalRow,
    "user_metadata_json" | "oidc_claims_json" | "avatar_url" | "email_opted_in" | "external_user_id"
  >
>;

/** Undefined when the name is taken. */
export async function insertPrincipal(
  database: Queryable,
  row: InsertedPrincipal & { now: number },
): Promise<PrincipalRow | undefined> {
  const { kind, name, full_name, email, description, password_hash, is_admin, now } = row;
  const values = [
    kind,
    name,
    full_name,
    email,
    description,
    password_hash,
    is_admin,
    now,
    row.user_metadata_json ?? null,
    row.oidc_claims_json ?? null,
    row.avatar_url ?? null,
    row.email_opted_in ?? null,
    row.external_user_id ?? null,
  ];
  const [added] = await database.prepared<PrincipalRow>(insertText, values);
  return added;
}

// What is not to be changed stays as it is. Who is shut out is logged out.
const updateText: Prepared = {
  name: "identity_update_principal",
  text: `
    with ended as (delete from identity.sessions where principal_id = $1 and $10 = false)
    update identity.principals set
      name = coalesce($2, name),
      full_name = case when $3 then $4 else full_name end,
      email = case when $5 then $6 else email end,
      description = case when $7 then $8 else description end,
      is_admin = coalesce($9, is_admin),
      active = coalesce($10, active),
      -- Who is shut out does not come back by an invitation of before.
      activation_hash = case when $10 = false then null else activation_hash end,
      last_updated_timestamp = $11,
      user_metadata_json = coalesce($12, user_metadata_json),
      oidc_claims_json = coalesce($13, oidc_claims_json),
      avatar_url = case when $14 then $15 else avatar_url end,
      email_opted_in = case when $16 then $17::boolean else email_opted_in end,
      external_user_id = case when $18 then $19::uuid else external_user_id end,
      default_workspace_id = case when $20 then $21::integer else default_workspace_id end
    where principal_id = $1 returning ${PRINCIPAL_COLUMNS}`,
};

export type PrincipalChange = {
  name?: string | undefined;
  full_name?: string | null;
  email?: string | null;
  description?: string | null;
  is_admin?: boolean;
  active?: boolean;
  default_workspace_id?: number | null;
} & PrincipalProfile;

export async function updatePrincipal(
  database: Queryable,
  principalId: number,
  change: PrincipalChange & { now: number },
): Promise<PrincipalRow | undefined> {
  const texts = [change.full_name, change.email, change.description];
  const profile = [
    change.avatar_url,
    change.email_opted_in,
    change.external_user_id,
    change.default_workspace_id,
  ];
  const [row] = await database.prepared<PrincipalRow>(updateText, [
    principalId,
    change.name ?? null,
    ...texts.flatMap((text) => [text !== undefined, text ?? null]),
    change.is_admin ?? null,
    change.active ?? null,
    change.now,
    change.user_metadata_json ?? null,
    change.oidc_claims_json ?? null,
    ...profile.flatMap((value) => [value !== undefined, value ?? null]),
  ]);
  return row;
}

const updatePasswordText: Prepared = {
  name: "identity_update_password",
  text: `
    with ended as (delete from identity.sessions where principal_id = $1)
    update identity.principals set password_hash = $2, last_updated_timestamp = $3, activation_hash = null,
      -- Never the same twice: it stands for the password where that is remembered.
      password_changed_at = greatest($3, password_changed_at + 1)
    where principal_id = $1 and ($4::text is null or password_hash = $4) returning ${PRINCIPAL_COLUMNS}`,
};

/** Ends all sessions. Undefined when the hash is not `expected` any more, where that is given. */
export async function updatePassword(
  transaction: Queryable,
  change: { principalId: number; hash: string; expected: string | undefined; now: number },
): Promise<PrincipalRow | undefined> {
  const values = [change.principalId, change.hash, change.now, change.expected ?? null];
  const [row] = await transaction.prepared<PrincipalRow>(updatePasswordText, values);
  return row;
}

const updateHashText: Prepared = {
  name: "identity_update_password_hash",
  text: `
    update identity.principals set password_hash = $3
    where principal_id = $1 and password_hash = $2 returning principal_id`,
};

/** The same password at another cost. False when it was changed meanwhile. */
export async function updatePasswordHash(
  database: Queryable,
  change: { principalId: number; from: string; to: string },
): Promise<boolean> {
  const values = [change.principalId, change.from, change.to];
  return (await database.prepared(updateHashText, values)).length > 0;
}

const updateActivationText: Prepared = {
  name: "identity_update_activation",
  text: `
    update identity.principals set activation_hash = $2, activation_until = $3, last_updated_timestamp = $4
    where principal_id = $1 and kind = 'user' returning principal_id`,
};

export async function updateActivation(
  database: Queryable,
  change: { principalId: number; hash: Buffer; until: number; now: number },
): Promise<boolean> {
  const values = [change.principalId, change.hash, change.until, change.now];
  return (await database.prepared(updateActivationText, values)).length > 0;
}

const selectActivationText: Prepared = {
  name: "identity_select_activation",
  text: `
    select principal_id from identity.principals
    where principal_id = $1 and activation_hash = $2 and activation_until > $3`,
};

export async function selectActivation(
  database: Queryable,
  given: { principalId: number; hash: Buffer; now: number },
): Promise<boolean> {
  const values = [given.principalId, given.hash, given.now];
  return (await database.prepared(selectActivationText, values)).length > 0;
}

const activateText: Prepared = {
  name: "identity_activate_principal",
  text: `
    update identity.principals set activation_hash = null, activation_until = null, active = true,
      last_updated_timestamp = $3
    where principal_id = $1 and activation_hash = $2 and activation_until > $3 returning principal_id`,
};

/** False when there is no such token, or it was used, or its time is over. */
export async function updateActivated(
  transaction: Queryable,
  given: { principalId: number; hash: Buffer; now: number },
): Promise<boolean> {
  const values = [given.principalId, given.hash, given.now];
  return (await transaction.prepared(activateText, values)).length > 0;
}

const deleteText: Prepared = {
  name: "identity_delete_principal",
  text: "delete from identity.principals where principal_id = $1 returning principal_id",
};

/** Keys, sessions, devices, roles of its own and assignments go with it. */
export async function deletePrincipal(transaction: Queryable, principalId: number): Promise<boolean> {
  return (await transaction.prepared(deleteText, [principalId])).length > 0;
}

// A person, who can log in by password or through the identity provider.
const CAN_ADMINISTER = `(is_admin or is_admin_by_group) and active and kind = 'user'
  and (password_hash is not null or external_subject is not null)`;

// After waiting for another transaction, rows that it changed are looked at again: one that lost its last
// administrator meanwhile is not counted.
const lockAdminsText: Prepared = {
  name: "identity_lock_admins",
  text: `
    select principal_id from identity.principals where is_admin or is_admin_by_group
    order by principal_id for no key update`,
};

/** No other transaction takes an administrator away until this one ends. */
export async function lockAdmins(transaction: Queryable): Promise<void> {
  await transaction.prepared(lockAdminsText, []);
}

const countAdminsText: Prepared = {
  name: "identity_has_admin",
  text: `
    select exists (select from identity.principals where ${CAN_ADMINISTER}) as some,
      exists (select from identity.principals where ${CAN_ADMINISTER} and principal_id = $1) as this`,
};

/** Whether anybody can administer the platform, and whether `principalId` can. */
export async function selectHasAdmin(
  database: Queryable,
  principalId = 0,
): Promise<{ some: boolean; this: boolean }> {
  const [row] = await database.prepared<{ some: boolean; this: boolean }>(countAdminsText, [principalId]);
  return row ?? { some: false, this: false };
}
