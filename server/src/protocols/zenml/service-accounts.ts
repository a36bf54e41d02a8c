import { z } from "zod";
import { loginAccess, manages } from "../../kernel/access.ts";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import { notFound, permissionDenied } from "../../kernel/errors.ts";
import {
  pageOfRows,
  type ApiKeyRow,
  type Comparable,
  type Identity,
  type PrincipalRow,
} from "../../modules/identity/index.ts";
import { isUuid, readUuid } from "./devices.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { pageOf, readFlag, readListQuery } from "./page.ts";
import { principalListColumns, refOf } from "./users.ts";
import { apiKeyView, serviceAccountView } from "./views.ts";

const text = z.string().max(255);
const description = z.string().max(65_535).nullish();

const accountRequest = z.object({
  name: text,
  full_name: text.default(""),
  description,
  active: z.boolean(),
});
const accountUpdate = z.object({
  name: text.nullish(),
  full_name: text.nullish(),
  description,
  active: z.boolean().nullish(),
});
const keyRequest = z.object({ name: text, description });
const keyUpdate = z.object({ name: text.nullish(), description, active: z.boolean().nullish() });
const keyRotation = z.object({ retain_period_minutes: z.int().min(0).default(0) });

const keyColumns = {
  id: "uuid",
  name: "text",
  description: "text",
  active: "boolean",
  created: "time",
  updated: "time",
  last_login: "time",
  last_rotated: "time",
} as const;

const keyValue = (row: ApiKeyRow, column: keyof typeof keyColumns): Comparable | null => {
  switch (column) {
    case "id":
      return row.key_id.replaceAll("-", "");
    case "name":
      return row.name;
    case "description":
      return row.description ?? "";
    case "active":
      return row.active;
    case "created":
      return row.creation_timestamp;
    case "updated":
      return row.last_updated_timestamp;
    case "last_login":
      return row.last_used_at;
    case "last_rotated":
      return row.last_rotated_at;
  }
};

const ACCOUNT = "/service_accounts/:service_account_name_or_id";
/** A route must name a part of the path the same everywhere; keys take the id alone. */
const KEYS = `${ACCOUNT}/api_keys`;
const KEY = `${KEYS}/:api_key_name_or_id`;

export function serviceAccountEndpoints({
  principals,
  apiKeys,
  searchPrincipals,
}: Pick<Identity, "principals" | "apiKeys" | "searchPrincipals">): ZenmlEndpoint[] {
  const getAccount = async (nameOrId: string): Promise<PrincipalRow> => {
    const row = await principals.findPrincipal(refOf(nameOrId));
    if (row?.kind !== "service_account") throw notFound(`There is no service account '${nameOrId}'.`);
    return row;
  };
  const accountOf = (path: Readonly<Record<string, string>>): Promise<PrincipalRow> =>
    getAccount(readUuid(path["service_account_name_or_id"] ?? "", "service_account_id"));
  /** Keys are shown to the account itself, and to administrators; others are not told whether there is such an account. */
  const ownAccountOf = async (
    path: Readonly<Record<string, string>>,
    caller: Caller,
  ): Promise<PrincipalRow> => {
    const id = readUuid(path["service_account_name_or_id"] ?? "", "service_account_id");
    if (!isPlatformAdmin(caller) && id !== caller.principal?.uuid)
      throw permissionDenied("Permission denied");
    return getAccount(id);
  };
  const keyOf = (path: Readonly<Record<string, string>>): { keyId: string } | { name: string } => {
    const nameOrId = path["api_key_name_or_id"] ?? "";
    return isUuid(nameOrId) ? { keyId: nameOrId } : { name: nameOrId };
  };
  const refTo = (account: PrincipalRow): { principalId: number } => ({ principalId: account.principal_id });

  return [
    endpoint({
      method: "GET",
      path: "/service_accounts",
      access: loginAccess,
      async handle({ query }) {
        const wanted = readListQuery(query, principalListColumns);
        const { total, rows } = await searchPrincipals("service_account", wanted);
        return pageOf(wanted, { total, items: rows.map((row) => serviceAccountView(row, wanted)) });
      },
    }),
    endpoint({
      method: "POST",
      path: "/service_accounts",
      access: manages("principal"),
      body: accountRequest,
      async handle({ body, request }) {
        const { name, full_name, description: about = null, active } = body;
        const given = { kind: "service_account", name, full_name, description: about } as const;
        const made = await principals.createPrincipal(given);
        request.subject = { resourceType: "service_account", resourceId: made.name };
        const row = active ? made : await principals.setActive(refTo(made), false);
        return serviceAccountView(row, { hydrate: true });
      },
    }),
    endpoint({
      method: "GET",
      path: ACCOUNT,
      access: loginAccess,
      async handle({ path, query }) {
        const row = await getAccount(path["service_account_name_or_id"] ?? "");
        return serviceAccountView(row, { hydrate: readFlag(query, "hydrate", true) });
      },
    }),
    endpoint({
      method: "PUT",
      path: ACCOUNT,
      access: manages("principal"),
      body: accountUpdate,
      async handle({ path, body, request }) {
        let row = await getAccount(path["service_account_name_or_id"] ?? "");
        request.subject = { resourceType: "service_account", resourceId: row.name };
        const fields = given({ name: body.name, full_name: body.full_name, description: body.description });
        if (Object.keys(fields).length > 0) row = await principals.updatePrincipal(refTo(row), fields);
        if (typeof body.active === "boolean" && body.active !== row.active) {
          row = await principals.setActive(refTo(row), body.active);
        }
        return serviceAccountView(row, { hydrate: true });
      },
    }),
    endpoint({
      method: "DELETE",
      path: ACCOUNT,
      access: manages("principal"),
      async handle({ path, request }) {
        const row = await getAccount(path["service_account_name_or_id"] ?? "");
        request.subject = { resourceType: "service_account", resourceId: row.name };
        await principals.deletePrincipal(refTo(row));
        return null;
      },
    }),
    endpoint({
      method: "GET",
      path: KEYS,
      access: loginAccess,
      async handle({ path, query, request: { caller } }) {
        const wanted = readListQuery(query, keyColumns);
        const account = await ownAccountOf(path, caller);
        const { total, rows } = pageOfRows(await apiKeys.listApiKeys(refTo(account)), wanted, keyValue);
        const items = rows.map((row) => apiKeyView(row, { hydrate: wanted.hydrate, account }));
        return pageOf(wanted, { total, items });
      },
    }),
    endpoint({
      method: "POST",
      path: KEYS,
      access: manages("principal"),
      body: keyRequest,
      async handle({ path, body, request }) {
        const account = await accountOf(path);
        request.subject = { resourceType: "api_key", resourceId: body.name, reveals: true };
        const fields = given({ description: body.description });
        const made = await apiKeys.createApiKey(refTo(account), { name: body.name, ...fields });
        return apiKeyView(made.row, { hydrate: true, account, key: made.zenmlKey });
      },
    }),
    endpoint({
      method: "GET",
      path: KEY,
      access: loginAccess,
      async handle({ path, query, request: { caller } }) {
        const account = await ownAccountOf(path, caller);
        const row = await apiKeys.getApiKey(refTo(account), keyOf(path));
        return apiKeyView(row, { hydrate: readFlag(query, "hydrate", true), account });
      },
    }),
    endpoint({
      method: "PUT",
      path: KEY,
      access: manages("principal"),
      body: keyUpdate,
      async handle({ path, body, request }) {
        const account = await accountOf(path);
        const key = await apiKeys.getApiKey(refTo(account), keyOf(path));
        request.subject = { resourceType: "api_key", resourceId: key.key_id };
        const fields = given({ name: body.name, description: body.description });
        const active = typeof body.active === "boolean" ? { active: body.active } : {};
        const row = await apiKeys.updateApiKey(
          refTo(account),
          { keyId: key.key_id },
          { ...fields, ...active },
        );
        return apiKeyView(row, { hydrate: true, account });
      },
    }),
    endpoint({
      method: "DELETE",
      path: KEY,
      access: manages("principal"),
      async handle({ path, request }) {
        const account = await accountOf(path);
        const key = await apiKeys.getApiKey(refTo(account), keyOf(path));
        request.subject = { resourceType: "api_key", resourceId: key.key_id };
        await apiKeys.deleteApiKey(refTo(account), { keyId: key.key_id });
        return null;
      },
    }),
    endpoint({
      method: "PUT",
      path: `${KEY}/rotate`,
      access: manages("principal"),
      body: keyRotation,
      async handle({ path, body, request }) {
        const account = await accountOf(path);
        const key = await apiKeys.getApiKey(refTo(account), keyOf(path));
        request.subject = { resourceType: "api_key", resourceId: key.key_id, reveals: true };
        const retainMinutes = body.retain_period_minutes;
        const made = await apiKeys.rotateApiKey(refTo(account), { keyId: key.key_id }, { retainMinutes });
        return apiKeyView(made.row, { hydrate: true, account, key: made.zenmlKey });
      },
    }),
  ];
}

/** ZenML's clients send null for what stays as it is. */
function given<Name extends string>(
  fields: Readonly<Record<Name, string | null | undefined>>,
): Partial<Record<Name, string>> {
  const kept = Object.entries<string | null | undefined>(fields).filter(
    ([, value]) => typeof value === "string",
  );
  return Object.fromEntries(kept) as Partial<Record<Name, string>>;
}
