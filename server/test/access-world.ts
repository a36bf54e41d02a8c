import { makeWorld, type Ids } from "../src/protocols/mlflow/workspace-requests-fixture.ts";
import { noEvaluationEndpoints } from "../src/protocols/mlflow/genai-none-entities.ts";
import { noGatewayEndpoints } from "../src/protocols/mlflow/genai-none-gateway.ts";
import { noTraceEndpoints } from "../src/protocols/mlflow/genai-none-traces.ts";
import { startTestServer, type TestServer } from "./harness.ts";
import { bearer, person } from "./principals.ts";
import { inWorkspace, newWorkspace, withHeaders } from "./workspaces.ts";

/** The workspace that all of them are asked for, and one that the stranger administers. */
export const OWNER = "owner";
export const ELSEWHERE = "elsewhere";

/** Who sends a request; all but the stranger name the workspace, each with the role of their name there. */
export type Actors = Record<"root" | "viewer" | "editor" | "admin" | "limited" | "stranger", TestServer>;

export type AccessWorld = AsyncDisposable & {
  server: TestServer;
  actors: Actors;
  ids: Ids;
  /** Another one of everything in the workspace, for a request that changes it. */
  another(): Promise<Ids>;
};

/** A server that asks everybody to log in, with one of everything in a workspace, and people of every role. */
export async function startAccessWorld(): Promise<AccessWorld> {
  const server = await startTestServer({ login: "required", "outbound-allowed-hosts": "127.0.0.1" });
  const root = withHeaders(server, (await person(server, "root", { isAdmin: true })).headers);
  for (const workspace of [OWNER, ELSEWHERE]) await newWorkspace(root, workspace);
  const login = async (name: string, role: string, workspace = OWNER): Promise<TestServer> =>
    withHeaders(server, (await person(server, name, { role, workspace })).headers);
  const [viewer, editor, admin, stranger] = await Promise.all([
    login("viewer", "viewer"),
    login("editor", "editor"),
    login("admin", "admin"),
    login("stranger", "admin", ELSEWHERE),
  ]);
  const { key } = await server.app.identity.apiKeys.createApiKey(
    { name: "editor" },
    { name: "reads", maxPermission: "READ" },
  );
  const inOwner = (actor: TestServer): TestServer => inWorkspace(actor, OWNER);
  // Ids that are found in no other text.
  await server.database.prepared(
    {
      name: "test_restart_ids",
      text: "select setval(pg_get_serial_sequence('tracking.experiments', 'experiment_id'), 40000)",
    },
    [],
  );
  const another = (): Promise<Ids> => makeWorld(inOwner(root), OWNER);
  return {
    server,
    actors: {
      root: inOwner(root),
      viewer: inOwner(viewer),
      editor: inOwner(editor),
      admin: inOwner(admin),
      limited: inOwner(withHeaders(server, bearer(key))),
      stranger,
    },
    ids: await another(),
    another,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** What Plinth answers though it keeps nothing of that kind. */
export const notKept: ReadonlySet<string> = new Set(
  [...noTraceEndpoints(), ...noEvaluationEndpoints(), ...noGatewayEndpoints()].map(
    ({ method, path }) => `${method} ${path}`,
  ),
);
