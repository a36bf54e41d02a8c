import type { Answer, TestServer } from "../../../test/harness.ts";
import { startTestServer } from "../../../test/harness.ts";
import { machine, person } from "../../../test/principals.ts";
import { accepted, API, fresh } from "../../../test/runs.ts";
import type { GrantType, Permission } from "../../modules/identity/index.ts";

export type Caller = {
  principalId: number;
  name: string;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  get(path: string): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
};

export type GrantTexts = readonly (readonly [type: GrantType, pattern: string, permission: Permission])[];

export type AccessServer = AsyncDisposable & {
  server: TestServer;
  /** The administrator of the platform. */
  admin: Caller;
  /** A service account with these grants in the default workspace, and no others. */
  caller(...grants: GrantTexts): Promise<Caller>;
  grant(caller: Caller, ...grants: GrantTexts): Promise<void>;
  /** The same caller by another server or another key. */
  as(headers: Record<string, string>, on?: TestServer): Omit<Caller, "principalId" | "name">;
};

/** A server that asks everybody to log in, and callers with grants of all kinds. */
export async function startAccessServer(): Promise<AccessServer> {
  const server = await startTestServer({ login: "required" });
  const { roles } = server.app.identity;
  const as: AccessServer["as"] = (headers, on = server) => ({
    call: (method, path, body) => on.call(method, path, body, headers),
    get: (path) => on.call("GET", path, undefined, headers),
    post: (path, body) => on.call("POST", path, body, headers),
  });
  const root = await person(server, "root", { isAdmin: true });
  const grant: AccessServer["grant"] = async ({ principalId }, ...grants) => {
    for (const [resource_type, pattern, permission] of grants) {
      await roles.grantDirectly({ principalId }, 1, { resource_type, pattern, permission, replace: true });
    }
  };
  return {
    server,
    admin: { principalId: root.row.principal_id, name: "root", ...as(root.headers) },
    as,
    grant,
    async caller(...grants) {
      const name = fresh("caller").replace(" ", "-");
      const { row, headers } = await machine(server, name);
      const made = { principalId: row.principal_id, name, ...as(headers) };
      await grant(made, ...grants);
      return made;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export type Things = { experimentId: string; experimentName: string; runId: string; modelId: string };

/** An experiment with a run, and a logged model that the run made. */
export async function makeThings({ post }: Pick<Caller, "post">): Promise<Things> {
  const experimentName = fresh("things");
  const experiment = accepted(await post(`${API}/experiments/create`, { name: experimentName }));
  const experimentId = experiment.experiment_id as string;
  const run = accepted(await post(`${API}/runs/create`, { experiment_id: experimentId }));
  const runId = run.run.info.run_id as string;
  const given = { experiment_id: experimentId, source_run_id: runId };
  const model = accepted(await post(`${API}/logged-models`, given));
  const modelId = model.model.info.model_id as string;
  accepted(await post(`${API}/runs/outputs`, { run_id: runId, models: [{ model_id: modelId, step: 1 }] }));
  const metric = { run_id: runId, key: "loss", value: 1, timestamp: 1, model_id: modelId };
  accepted(await post(`${API}/runs/log-metric`, metric));
  return { experimentId, experimentName, runId, modelId };
}
