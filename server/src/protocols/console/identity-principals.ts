import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import {
  directoryRequest,
  newServiceAccountRequest,
  newUserRequest,
  passwordRequest,
  principalsRequest,
  serviceAccountChange,
  userChange,
  type Directory,
  type Principal,
  type Principals,
} from "@plinth/contract";
import { manages, reads } from "../../kernel/access.ts";
import { notFound } from "../../kernel/errors.ts";
import type { Identity, NewPrincipal, PrincipalKind, PrincipalRow } from "../../modules/identity/index.ts";
import { enterAsAdmin, given, pageToken, read } from "./request.ts";

type Options = { identity: Pick<Identity, "principals" | "enter" | "renew"> };
type Named = { Params: { name: string } };

const reading = { config: { access: reads("principal"), protocol: "console" } } as const;
const managing = { config: { access: manages("principal"), protocol: "console" } } as const;

type Change = z.infer<typeof userChange>;

type Kind = {
  kind: PrincipalKind;
  path: string;
  readNew(body: unknown): Omit<NewPrincipal, "kind">;
  readChange(body: unknown): Change;
};

const kinds: readonly Kind[] = [
  {
    kind: "user",
    path: "/console/api/users",
    readNew(body) {
      const { is_admin: isAdmin, name, ...fields } = read(newUserRequest, body);
      return { name, isAdmin, ...given(fields) };
    },
    readChange: (body) => read(userChange, body),
  },
  {
    kind: "service_account",
    path: "/console/api/service-accounts",
    readNew(body) {
      const { name, ...fields } = read(newServiceAccountRequest, body);
      return { name, ...given(fields) };
    },
    readChange: (body) => read<Change>(serviceAccountChange, body),
  },
];

/** Users and service accounts: for administrators of the platform. */
export function registerPrincipals(app: FastifyInstance, options: Options): void {
  for (const one of kinds) registerKind(app, options, one);
  registerDirectory(app, options);
  const { principals } = options.identity;
  app.post<Named>("/console/api/users/:name/password", managing, async (request, reply) => {
    const { name } = request.params;
    request.subject = { resourceType: "user", resourceId: name };
    const { password } = read(passwordRequest, request.body);
    const row = await ofKind(options, name, "user");
    return reply.send(principalJson(await principals.setPassword(refOf(row), password)));
  });
}

function registerKind(
  app: FastifyInstance,
  options: Options,
  { kind, path, readNew, readChange }: Kind,
): void {
  const { principals } = options.identity;
  app.get(path, reading, async (request, reply) => {
    const { max_results: maxResults, page_token, contains } = read(principalsRequest, request.query);
    const page = await principals.listPrincipals({
      kind,
      maxResults,
      ...given({ contains, pageToken: page_token }),
    });
    return reply.send({
      principals: page.principals.map(principalJson),
      ...pageToken(page.nextPageToken),
    } satisfies Principals);
  });
  app.post(path, managing, async (request, reply) => {
    const wanted = readNew(request.body);
    const isAdmin = wanted.isAdmin === true;
    request.subject = { resourceType: kind, resourceId: wanted.name, details: { is_admin: isAdmin } };
    const row = await principals.createPrincipal({ kind, ...wanted });
    return reply.code(201).send(principalJson(row));
  });
  app.get<Named>(`${path}/:name`, reading, async (request, reply) =>
    reply.send(principalJson(await ofKind(options, request.params.name, kind))),
  );
  app.patch<Named>(`${path}/:name`, managing, async (request, reply) => {
    const { name } = request.params;
    const wanted = readChange(request.body);
    const { is_admin: isAdmin, active, ...fields } = wanted;
    const details = given({ name: wanted.name, is_admin: isAdmin, active });
    request.subject = { resourceType: kind, resourceId: name, details };
    // By its id: a new name holds from the first change on.
    const ref = refOf(await ofKind(options, name, kind));
    // What takes rights away comes first: if the rest fails, nobody keeps more than was wanted.
    if (active !== undefined) await principals.setActive(ref, active);
    if (isAdmin !== undefined) await principals.setAdmin(ref, isAdmin);
    if (Object.keys(given(fields)).length > 0) await principals.updatePrincipal(ref, given(fields));
    return reply.send(principalJson(await principals.getPrincipal(ref)));
  });
  app.delete<Named>(`${path}/:name`, managing, async (request, reply) => {
    const { name } = request.params;
    request.subject = { resourceType: kind, resourceId: name };
    await principals.deletePrincipal(refOf(await ofKind(options, name, kind)));
    return reply.code(204).send();
  });
}

/** Whom administrators of a workspace may give roles to: names and kinds, and nothing else. */
function registerDirectory(app: FastifyInstance, { identity }: Options): void {
  const config = { access: manages("role"), protocol: "console" } as const;
  app.get("/console/api/principals", { config }, async (request, reply) => {
    const {
      workspace,
      max_results: maxResults,
      page_token,
      contains,
    } = read(directoryRequest, request.query);
    await enterAsAdmin(request, identity, workspace);
    const page = await identity.principals.listPrincipals({
      maxResults,
      ...given({ contains, pageToken: page_token }),
    });
    return reply.send({
      principals: page.principals.map(({ name, kind, full_name, active }) => ({
        name,
        kind,
        full_name,
        active,
      })),
      ...pageToken(page.nextPageToken),
    } satisfies Directory);
  });
}

const refOf = (row: PrincipalRow): { principalId: number } => ({ principalId: row.principal_id });

async function ofKind({ identity }: Options, name: string, kind: PrincipalKind): Promise<PrincipalRow> {
  const row = await identity.principals.findPrincipal({ name });
  if (row?.kind === kind) return row;
  throw notFound(`There is no ${kind === "user" ? "user" : "service account"} '${name}'.`);
}

const principalJson = (row: PrincipalRow): Principal => ({
  name: row.name,
  kind: row.kind,
  principal_id: row.principal_id,
  uuid: row.uuid,
  full_name: row.full_name,
  email: row.email,
  description: row.description,
  is_admin: row.is_admin || row.is_admin_by_group,
  active: row.active,
  has_password: row.has_password,
  issuer: row.external_issuer,
  creation_timestamp: row.creation_timestamp,
  last_updated_timestamp: row.last_updated_timestamp,
});
