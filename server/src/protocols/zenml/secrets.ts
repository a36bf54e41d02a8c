import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { manages, reads, uses } from "../../kernel/access.ts";
import { notImplemented } from "../../kernel/errors.ts";
import { noSuch, type SecretReader, type SecretRow } from "../../modules/pipelines/index.ts";
import { userIdOf } from "./access.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, sharedBody } from "./envelope.ts";
import { entityName } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";

const values = z.record(z.string(), z.string().nullable());

const request = z.object({
  name: entityName,
  private: z.boolean().default(false),
  values: values.default({}),
});

const update = z.object({
  name: entityName.nullish(),
  private: z.boolean().nullish(),
  values: values.nullish(),
});

/**
 * Secrets. ZenML's own server shows the values of public ones to every account; here only to whoever may use what all
 * share, so that somebody who is let in to look at results does not leave with the credentials of the platform: a
 * viewer sees names and keys. Private ones are there for their owner alone.
 */
export function secretEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { secrets } = context.pipelines;

  const views = async (
    call: ZenmlCall,
    rows: readonly SecretRow[],
    shown: { hydrate: boolean; valuesOf?: (row: SecretRow) => object },
  ): Promise<object[]> => {
    const users = await context.relatedFor(call).users(rows.map((row) => row.user_id));
    return rows.map((row) =>
      entity(row, {
        body: { ...sharedBody(row), private: row.private, values: shown.valuesOf?.(row) ?? {} },
        metadata: shown.hydrate ? {} : null,
        resources: { user: users.get(row.user_id ?? "") ?? null },
      }),
    );
  };

  /** With its values, or with its keys alone. */
  const view = async (call: ZenmlCall, row: SecretRow, hydrate = true): Promise<unknown> => {
    const mayUse = row.private || (await access.allowsShared(call.request, "use"));
    const opened = secrets.valuesOf(row);
    const shown = mayUse ? opened : Object.fromEntries(Object.keys(opened).map((key) => [key, null]));
    call.request.subject = { resourceType: "secret", resourceId: row.id, reveals: mayUse };
    return (await views(call, [row], { hydrate, valuesOf: () => shown }))[0];
  };

  const find = async (call: ZenmlCall): Promise<SecretRow> => {
    const id = call.path["secret_id"] ?? "";
    call.request.subject = { resourceType: "secret", resourceId: id };
    if (!(await access.readsShared(call.request))) throw noSuch(secrets.label, id);
    return secrets.get(id, readerOf(call.request));
  };

  const change = async (call: ZenmlCall): Promise<SecretRow> => {
    const row = await find(call);
    if (row.private) await access.requireShared(call.request, "use");
    else await access.requireSharedChange(call.request, row, secrets.label);
    return row;
  };

  return [
    endpoint({
      method: "GET",
      path: "/secrets",
      access: reads("stack"),
      async handle(call) {
        const query = context.listQuery(call, secrets.fields);
        if (!(await access.readsShared(call.request))) return pageOf(query, { total: 0, items: [] });
        const { total, rows } = await secrets.search(query, readerOf(call.request));
        return pageOf(query, { total, items: await views(call, rows, { hydrate: query.hydrate }) });
      },
    }),
    endpoint({
      method: "POST",
      path: "/secrets",
      access: uses("stack"),
      body: request,
      async handle(call) {
        const { name, private: isPrivate, values: given } = call.body;
        await access.requireShared(call.request, "use");
        const row = await secrets.create(
          { id: call.newId(), user_id: userIdOf(call.request), name, private: isPrivate },
          withoutNulls(given),
        );
        return view(call, row);
      },
    }),
    endpoint({
      method: "GET",
      path: "/secrets/:secret_id",
      access: reads("stack"),
      handle: async (call) => view(call, await find(call), readFlag(call.parameters, "hydrate", true)),
    }),
    endpoint({
      method: "PUT",
      path: "/secrets/:secret_id",
      access: uses("stack"),
      body: update,
      async handle(call) {
        const { body } = call;
        const patch = readFlag(call.parameters, "patch_values", false);
        const { id } = await change(call);
        const changes = {
          name: body.name ?? undefined,
          private: body.private ?? undefined,
          values: body.values ?? undefined,
          patch,
        };
        return view(call, await secrets.update(id, changes, readerOf(call.request)));
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/secrets/:secret_id",
      access: uses("stack"),
      async handle(call) {
        await secrets.remove((await change(call)).id);
        return null;
      },
    }),
    // Secrets are in the database, and saved with it: there is no second store to copy them to.
    ...(["backup", "restore"] as const).map((operation) =>
      endpoint({
        method: "PUT",
        path: `/secrets_operations/${operation}`,
        access: manages("server"),
        handle() {
          throw notImplemented(`Unable to ${operation} secrets: No backup secrets store is configured.`);
        },
      }),
    ),
  ];
}

export const readerOf = (request: FastifyRequest): SecretReader => ({
  userId: userIdOf(request),
  isLocal: request.caller.principal?.kind === "local",
});

const withoutNulls = (given: Readonly<Record<string, string | null>>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).filter((one): one is [string, string] => one[1] !== null));
