import { sql } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { idFields, type Field, type Fields, type ListQuery } from "./list.ts";
import { selectPage } from "./list.sql.ts";
import { table } from "./table.ts";

/** Ids of a page, in its order: who they are is for identity to say. */
export type AccountList = {
  readonly fields: Fields;
  search(query: ListQuery): Promise<{ total: number; ids: string[] }>;
};

/** Accounts and their credentials in lists by page number, as ZenML's clients ask for them. */
export type AccountLists = {
  readonly users: AccountList;
  /** This one alone. */
  userOf(principalId: number): AccountList;
  readonly serviceAccounts: AccountList;
  apiKeysOf(principalId: number): AccountList;
  devicesOf(principalId: number): AccountList;
};

const ids = { id: "uuid", principal_id: "integer" } as const;
const stampsOf = "creation_timestamp * 1000 as created, last_updated_timestamp * 1000 as updated";

const accounts = (kind: "user" | "service_account") =>
  table(
    `(select uuid as id, principal_id, name, coalesce(full_name, '') as full_name, email,
      coalesce(description, '') as description, (active and activation_hash is null) as active, email_opted_in,
      external_user_id, ${stampsOf} from identity.principals where kind = '${kind}')`,
    ids,
  );
const users = accounts("user");
const serviceAccounts = accounts("service_account");

const apiKeys = table(
  `(select key_id as id, principal_id, name, coalesce(description, '') as description, active,
    last_used_at * 1000 as last_login, last_rotated_at * 1000 as last_rotated, ${stampsOf} from identity.api_keys)`,
  ids,
);

const devices = table(
  `(select d.device_id as id, d.principal_id, p.uuid as user_id, client_id, status, trusted as trusted_device,
    failed_attempts, expires_at * 1000 as expires, last_login_at * 1000 as last_login,
    d.creation_timestamp * 1000 as created, d.last_updated_timestamp * 1000 as updated
    from identity.devices as d left join identity.principals as p using (principal_id))`,
  ids,
);

const column = (kind: "text" | "uuid" | "boolean" | "number" | "time", name: string): Field => ({
  kind,
  sql: `t.${name}`,
});

const accountFields: Fields = {
  ...idFields,
  name: column("text", "name"),
  full_name: column("text", "full_name"),
  description: column("text", "description"),
  active: column("boolean", "active"),
  external_user_id: column("uuid", "external_user_id"),
};

const userFields: Fields = {
  ...accountFields,
  email_opted_in: column("boolean", "email_opted_in"),
  email: column("text", "email"),
};

const keyFields: Fields = {
  ...idFields,
  name: column("text", "name"),
  description: column("text", "description"),
  active: column("boolean", "active"),
  last_login: column("time", "last_login"),
  last_rotated: column("time", "last_rotated"),
};

const deviceFields: Fields = {
  ...idFields,
  user: {
    kind: "reference",
    sql: "t.user_id",
    table: "identity.principals",
    key: "uuid",
    names: ["name", "full_name"],
  },
  scope_user: column("uuid", "user_id"),
  client_id: column("uuid", "client_id"),
  status: column("text", "status"),
  trusted_device: column("boolean", "trusted_device"),
  failed_auth_attempts: column("number", "failed_attempts"),
  expires: column("time", "expires"),
  last_login: column("time", "last_login"),
};

export function createAccountLists({ database }: { database: Database }): AccountLists {
  const list = (of: typeof users, fields: Fields, principalId?: number): AccountList => ({
    fields,
    async search(query) {
      const where = principalId === undefined ? [] : [sql`t.principal_id = ${principalId}`];
      const { total, rows } = await selectPage(database, {
        table: of,
        fields,
        query,
        where,
        columns: ["id"],
      });
      return { total, ids: rows.map(({ id }) => id) };
    },
  });
  return {
    users: list(users, userFields),
    userOf: (principalId) => list(users, userFields, principalId),
    serviceAccounts: list(serviceAccounts, accountFields),
    apiKeysOf: (principalId) => list(apiKeys, keyFields, principalId),
    devicesOf: (principalId) => list(devices, deviceFields, principalId),
  };
}
