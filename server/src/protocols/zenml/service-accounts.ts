import { z } from "zod";
import { loginAccess, manages } from "../../kernel/access.ts";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import { notFound, permissionDenied } from "../../kernel/errors.ts";
import type { PrincipalRow } from "../../modules/identity/index.ts";
import type { ZenmlContext } from "./context.ts";
import { isUuid, readUuid } from "./devices.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { flag } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";
import { inOrder, refOf } from "./users.ts";
import { apiKeyView, serviceAccountView } from "./views.ts";

const text = z.string().max(255);
const description = z.string().max(65_535).nullish();

const accountRequest = z.object({
  name: text,
  full_name: text.default(""),
  description,
  active: flag,
  avatar_url: z.string().nullish(),
});
const accountUpdate = z.object({
  name: text.nullish(),
  full_name: text.nullish(),
  description,
  active: flag.nullish(),
  avatar_url: z.string().nullish(),
});
const keyRequest = z.object({ name: text, description });
const keyUpdate = z.object({ name: text.nullish(), description, active: flag.nullish() });
const keyRotation = z.object({ retain_period_minutes: z.int().min(0).default(0) });

const ACCOUNT = "/service_accounts/:service_account_name_or_id";
/** A route must name a part of the path the same everywhere; keys take the id alone. */
const KEYS = `${ACCOUNT}/api_keys`;
const KEY = `${KEYS}/:api_key_name_or_id`;

export function serviceAccountEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { principals, apiKeys } = context.identity;
  const { accountLists } = context.pipelines;

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
      async handle(call) {
        const query = context.listQuery(call, accountLists.serviceAccounts.fields);
        const { total, ids } = await accountLists.serviceAccounts.search(query);
        const rows = inOrder(ids, await principals.listByUuids(ids));
        return pageOf(query, { total, items: rows.map((row) => serviceAccountView(row, query)) });
      },
    }),
    endpoint({
      method: "POST",
      path: "/service_accounts",
      access: manages("principal"),
      body: accountRequest,
      async handle({ body, request }) {
        const { name, full_name, description: about = null, active, avatar_url = null } = body;
        const given = { kind: "service_account", name, full_name, description: about, avatar_url } as const;
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
      async handle({ path, parameters }) {
        const row = await getAccount(path["service_account_name_or_id"] ?? "");
        return serviceAccountView(row, { hydrate: readFlag(parameters, "hydrate", true) });
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
        const { name, full_name, avatar_url } = body;
        const fields = given({ name, full_name, description: body.description, avatar_url });
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
      async handle(call) {
        const account = await ownAccountOf(call.path, call.request.caller);
        const list = accountLists.apiKeysOf(account.principal_id);
        const query = context.listQuery(call, list.fields);
        const { total, ids } = await list.search(query);
        const keys = new Map((await apiKeys.listApiKeys(refTo(account))).map((row) => [row.key_id, row]));
        const rows = ids.flatMap((id) => keys.get(id) ?? []);
        const items = rows.map((row) => apiKeyView(row, { hydrate: query.hydrate, account }));
        return pageOf(query, { total, items });
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
      async handle({ path, parameters, request: { caller } }) {
        const account = await ownAccountOf(path, caller);
        const row = await apiKeys.getApiKey(refTo(account), keyOf(path));
        return apiKeyView(row, { hydrate: readFlag(parameters, "hydrate", true), account });
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
        return apiKeyView(made.row, { hydrate: false, account, key: made.zenmlKey });
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
