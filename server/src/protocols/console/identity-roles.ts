import type { FastifyInstance, FastifyRequest } from "fastify";
import {
  assignmentsRequest,
  grantPlace,
  grantRequest,
  newRoleRequest,
  PLATFORM,
  roleChange,
  rolesRequest,
  type Assignments,
  type Grant,
  type Role,
  type RoleDetail,
} from "@plinth/contract";
import { manages, reads } from "../../kernel/access.ts";
import { notFound, PlinthError } from "../../kernel/errors.ts";
import type { GrantRow, Identity, RoleRow } from "../../modules/identity/index.ts";
import { enterAsAdmin, given, pageToken, read, requirePlatformAdmin } from "./request.ts";

type Options = { identity: Pick<Identity, "enter" | "renew" | "roles"> };
type Named = { Params: { workspace: string; role: string; principal: string } };

const reading = { config: { access: reads("role"), protocol: "console" } } as const;
const managing = { config: { access: manages("role"), protocol: "console" } } as const;

const PATH = "/console/api/roles";
const ROLE = `${PATH}/:workspace/:role`;

/** Roles of a workspace, for its administrators; those of the platform, for the platform's. */
export function registerRoles(app: FastifyInstance, options: Options): void {
  const { roles } = options.identity;
  app.get(PATH, reading, async (request, reply) => {
    const { workspace } = read(rolesRequest, request.query);
    const place = await enterPlace(request, options, workspace);
    const listed = await roles.listRoles(place === null ? { platform: true } : { workspaces: [place] });
    return reply.send({ roles: listed.map(roleJson) });
  });
  app.post(PATH, managing, async (request, reply) => {
    const { workspace, ...wanted } = read(newRoleRequest, request.body);
    const place = await enterPlace(request, options, workspace);
    about(request, place, wanted.name);
    const row = await roles.createRole({ workspace: place, ...given(wanted) });
    return reply.code(201).send(roleJson(row));
  });
  app.get<Named>(ROLE, reading, async (request, reply) => {
    const role = await findRole(request, options);
    const grants = await roles.listGrants([role.role_id]);
    return reply.send({ ...roleJson(role), grants: grants.map(grantJson) } satisfies RoleDetail);
  });
  app.patch<Named>(ROLE, managing, async (request, reply) => {
    const role = await findRole(request, options);
    const change = read(roleChange, request.body);
    about(request, role.workspace, role.name, given({ name: change.name }));
    return reply.send(roleJson(await roles.updateRole(role.role_id, given(change))));
  });
  app.delete<Named>(ROLE, managing, async (request, reply) => {
    const role = await findRole(request, options);
    about(request, role.workspace, role.name);
    await roles.deleteRole(role.role_id);
    return reply.code(204).send();
  });
  registerGrants(app, options);
  registerAssignments(app, options);
}

function registerGrants(app: FastifyInstance, options: Options): void {
  const { roles } = options.identity;
  app.get<Named>(`${ROLE}/grants`, reading, async (request, reply) => {
    const role = await findRole(request, options);
    return reply.send({ grants: (await roles.listGrants([role.role_id])).map(grantJson) });
  });
  app.put<Named>(`${ROLE}/grants`, managing, async (request, reply) => {
    const role = await findRole(request, options);
    const wanted = read(grantRequest, request.body);
    about(request, role.workspace, role.name, wanted);
    const row = await roles.addGrant(role.role_id, wanted).catch(async (error: unknown) => {
      if (!(error instanceof PlinthError && error.code === "already_exists")) throw error;
      const earlier = await roles.findGrant(role.role_id, wanted);
      if (earlier === undefined) throw error;
      return roles.updateGrant(earlier.grant_id, wanted.permission);
    });
    return reply.send(grantJson(row));
  });
  app.delete<Named>(`${ROLE}/grants`, managing, async (request, reply) => {
    const role = await findRole(request, options);
    const wanted = read(grantPlace, request.query);
    about(request, role.workspace, role.name, wanted);
    const row = await roles.findGrant(role.role_id, wanted);
    if (row === undefined) {
      throw notFound(
        `Role '${role.name}' has no grant on ${wanted.resource_type} '${wanted.pattern}' to take away.`,
      );
    }
    await roles.removeGrant(row.grant_id);
    return reply.code(204).send();
  });
}

function registerAssignments(app: FastifyInstance, options: Options): void {
  const { roles } = options.identity;
  app.get<Named>(`${ROLE}/assignments`, reading, async (request, reply) => {
    const role = await findRole(request, options);
    const { max_results: maxResults, page_token } = read(assignmentsRequest, request.query);
    const page = await roles.listHolders(role.role_id, { maxResults, pageToken: page_token });
    return reply.send({
      assignments: page.holders,
      ...pageToken(page.nextPageToken),
    } satisfies Assignments);
  });
  app.put<Named>(`${ROLE}/assignments/:principal`, managing, async (request, reply) => {
    const role = await findRole(request, options);
    const { principal } = request.params;
    about(request, role.workspace, role.name, { principal });
    await roles.assignRole({ name: principal }, role.role_id).catch((error: unknown) => {
      // To have it is all that was asked for.
      if (!(error instanceof PlinthError && error.code === "already_exists")) throw error;
    });
    return reply.code(204).send();
  });
  app.delete<Named>(`${ROLE}/assignments/:principal`, managing, async (request, reply) => {
    const role = await findRole(request, options);
    const { principal } = request.params;
    about(request, role.workspace, role.name, { principal });
    await roles.unassignRole({ name: principal }, role.role_id);
    return reply.code(204).send();
  });
}

/** The workspace, entered by one of its administrators; null for the platform. */
async function enterPlace(
  request: FastifyRequest,
  { identity }: Options,
  workspace: string,
): Promise<string | null> {
  if (workspace !== PLATFORM) return (await enterAsAdmin(request, identity, workspace)).workspace;
  requirePlatformAdmin(request);
  return null;
}

async function findRole(request: FastifyRequest<Named>, options: Options): Promise<RoleRow> {
  const { workspace, role: name } = request.params;
  const place = await enterPlace(request, options, workspace);
  about(request, place, name);
  const row = await options.identity.roles.findRole(place, name);
  if (row !== undefined) return row;
  throw notFound(`There is no role '${name}' ${place === null ? "of the platform" : `in '${place}'`}.`);
}

type Details = Readonly<Record<string, string>>;

function about(
  request: FastifyRequest,
  workspace: string | null,
  ...[name, details]: [string, Details?]
): void {
  request.subject = {
    resourceType: "role",
    resourceId: name,
    ...(workspace === null ? {} : { workspace }),
    ...given({ details }),
  };
}

const roleJson = (row: RoleRow): Role => ({
  workspace: row.workspace,
  name: row.name,
  description: row.description,
  kind: row.kind,
  creation_timestamp: row.creation_timestamp,
  last_updated_timestamp: row.last_updated_timestamp,
});

const grantJson = ({ resource_type, pattern, permission }: GrantRow): Grant => ({
  resource_type,
  pattern,
  permission,
});
