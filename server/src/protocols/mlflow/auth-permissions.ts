import { notFound } from "../../kernel/errors.ts";
import { allows, type PrincipalRow, type Scope } from "../../modules/identity/index.ts";
import { inWords, parameters, requiredText } from "./auth-parameters.ts";
import { readPermission } from "./auth-resources.ts";
import { loginEndpoint, principalNamed, refused, type AuthDeps } from "./auth-rights.ts";
import type { Call, Endpoint } from "./endpoint.ts";
import type { Values } from "./wire.ts";

/** The two kinds of things that MLflow 2.9 had permissions on. */
type Kind = {
  path: string;
  /** The parameter that names one. */
  name: "experiment_id" | "name";
  /** The key of an answer. */
  answer: string;
  label: string;
  typeOf(scope: Scope, id: string): Promise<"experiment" | "registered_model" | "prompt">;
};

/**
 * The endpoints of MLflow 2.9 to 3.12, where each user has at most one permission on a thing. They read and write
 * what `users/permissions/grant` does.
 */
export function permissionEndpoints(deps: AuthDeps): Endpoint[] {
  const kinds: readonly Kind[] = [
    {
      path: "/2.0/mlflow/experiments/permissions",
      name: "experiment_id",
      answer: "experiment_permission",
      label: "Experiment permission",
      typeOf: async () => "experiment",
    },
    {
      path: "/2.0/mlflow/registered-models/permissions",
      name: "name",
      answer: "registered_model_permission",
      label: "Registered model permission",
      typeOf: async (scope, name) => ((await deps.isPrompt(scope, name)) ? "prompt" : "registered_model"),
    },
  ];
  return kinds.flatMap((kind) => endpointsOf(kind, deps));
}

function endpointsOf(kind: Kind, deps: AuthDeps): Endpoint[] {
  const { roles } = deps;
  const { path, name } = kind;
  const json = ({ user, id }: Managed, permission: string): Values => ({
    [kind.answer]: { [name]: id, user_id: user.principal_id, permission },
  });
  const unknown = ({ user, id }: Managed): string =>
    `${kind.label} with ${name}=${id} and username=${user.name} not found`;
  const find = async (managed: Managed): Promise<string> => {
    const { principalId, scope, on } = managed;
    const found = await roles.findDirectGrant({ principalId }, scope.workspaceId, on);
    if (found === undefined) throw notFound(unknown(managed));
    return found.permission;
  };
  return [
    loginEndpoint("POST", `${path}/create`, {
      request: parameters(name, "username", "permission"),
      async handle(call) {
        const managed = await managedThing(kind, deps, call);
        const { principalId, user, scope, on, id } = managed;
        const permission = readPermission(requiredText(call, "permission"));
        record(call, managed, permission);
        await inWords(
          roles.grantDirectly({ principalId }, scope.workspaceId, { ...on, permission, replace: false }),
          { already_exists: `${kind.label} (${name}=${id}, username=${user.name}) already exists.` },
        );
        return json(managed, permission);
      },
    }),
    loginEndpoint("GET", `${path}/get`, {
      request: parameters(name, "username"),
      async handle(call) {
        const managed = await managedThing(kind, deps, call);
        return json(managed, await find(managed));
      },
    }),
    loginEndpoint("PATCH", `${path}/update`, {
      request: parameters(name, "username", "permission"),
      async handle(call) {
        const managed = await managedThing(kind, deps, call);
        const permission = readPermission(requiredText(call, "permission"));
        await find(managed);
        const { principalId, scope, on } = managed;
        record(call, managed, permission);
        await roles.grantDirectly({ principalId }, scope.workspaceId, { ...on, permission, replace: true });
        return {};
      },
    }),
    loginEndpoint("DELETE", `${path}/delete`, {
      request: parameters(name, "username"),
      async handle(call) {
        const managed = await managedThing(kind, deps, call);
        const { principalId, scope, on } = managed;
        record(call, managed);
        await inWords(roles.revokeDirectly({ principalId }, scope.workspaceId, on), {
          not_found: unknown(managed),
        });
        return {};
      },
    }),
  ];
}

type Managed = {
  scope: Scope;
  id: string;
  on: { resource_type: "experiment" | "registered_model" | "prompt"; pattern: string };
  user: PrincipalRow;
  principalId: number;
};

/** What the request is about and whom, for who manages the thing. */
async function managedThing(kind: Kind, deps: AuthDeps, call: Call): Promise<Managed> {
  const scope = await deps.scopeOf(call.request);
  const id = requiredText(call, kind.name);
  const resource_type = await kind.typeOf(scope, id);
  if (!allows(scope.policy.on(resource_type, id), "manage")) throw refused();
  const user = await principalNamed(deps, requiredText(call, "username"));
  return { scope, id, on: { resource_type, pattern: id }, user, principalId: user.principal_id };
}

/** For the audit log. */
function record({ request }: Call, { on, scope, user }: Managed, permission?: string): void {
  request.subject = {
    resourceType: "principal",
    resourceId: user.name,
    workspace: scope.workspace,
    details: {
      grant: `${on.resource_type} ${on.pattern}`,
      ...(permission === undefined ? {} : { permission }),
    },
  };
}
