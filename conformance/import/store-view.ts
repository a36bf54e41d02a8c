// All that MLflow's public REST API tells of a store, in an order and form that two servers can be compared by.
import { postJson, getJson, type Json } from "./rest.ts";

export type StoreView = {
  experiments: Json[];
  runs: Json[];
  histories: Record<string, Json[]>;
  models: Json[];
  versions: Json[];
  loggedModels: Json[];
};

/** `loggedModels`: the server has such endpoints. */
export async function readStore(url: string, has: { loggedModels: boolean }): Promise<StoreView> {
  const experiments = await pages(url, "/api/2.0/mlflow/experiments/search", "experiments", {
    view_type: "ALL",
  });
  const ids = experiments.map((one) => String(one["experiment_id"]));
  const listed = await pages(url, "/api/2.0/mlflow/runs/search", "runs", {
    experiment_ids: ids,
    run_view_type: "ALL",
  });
  // One by one: MLflow's search leaves out the models that a run used.
  const runs: Json[] = [];
  for (const { info } of listed) {
    const query = new URLSearchParams({ run_id: String((info as Json)["run_id"]) });
    runs.push((await getJson(`${url}/api/2.0/mlflow/runs/get?${query.toString()}`))["run"] as Json);
  }
  const loggedModels = has.loggedModels
    ? await pages(url, "/api/2.0/mlflow/logged-models/search", "models", { experiment_ids: ids }, 50)
    : [];
  return {
    experiments: sorted(experiments),
    runs: sorted(runs),
    histories: await readHistories(url, runs),
    models: sorted(await getPages(url, "/api/2.0/mlflow/registered-models/search", "registered_models")),
    versions: sorted(await getPages(url, "/api/2.0/mlflow/model-versions/search", "model_versions")),
    loggedModels: sorted(loggedModels),
  };
}

async function readHistories(url: string, runs: readonly Json[]): Promise<Record<string, Json[]>> {
  const histories: Record<string, Json[]> = {};
  for (const run of runs) {
    const id = String((run["info"] as Json)["run_id"]);
    const metrics = ((run["data"] as Json | undefined)?.["metrics"] ?? []) as Json[];
    for (const { key } of metrics) {
      const query = new URLSearchParams({ run_id: id, metric_key: String(key) });
      const answer = await getJson(`${url}/api/2.0/mlflow/metrics/get-history?${query.toString()}`);
      histories[`${id} ${String(key)}`] = sorted((answer["metrics"] ?? []) as Json[]);
    }
  }
  return histories;
}

async function pages(
  url: string,
  path: string,
  ...[field, body, size = 500]: [field: string, body: Json, size?: number]
): Promise<Json[]> {
  const found: Json[] = [];
  for (let token: unknown; ;) {
    const asked = { ...body, max_results: size, ...(token === undefined ? {} : { page_token: token }) };
    const answer = await postJson(url + path, asked);
    found.push(...((answer[field] ?? []) as Json[]));
    token = answer["next_page_token"];
    if (token === undefined || token === "") return found;
  }
}

async function getPages(url: string, path: string, field: string): Promise<Json[]> {
  const found: Json[] = [];
  for (let token: unknown; ;) {
    const query = new URLSearchParams({
      max_results: "100",
      ...(token === undefined ? {} : { page_token: String(token) }),
    });
    const answer = await getJson(`${url}${path}?${query.toString()}`);
    found.push(...((answer[field] ?? []) as Json[]));
    token = answer["next_page_token"];
    if (token === undefined || token === "") return found;
  }
}

/** Lists inside have no order that clients may count on: tags, parameters, metrics, inputs, versions. */
function sorted(rows: readonly Json[]): Json[] {
  return rows.map((row) => inOrder(row) as Json).toSorted(byText);
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder).toSorted(byText);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, inOrder(inner)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

type Fields = { everywhere: readonly string[] } & Partial<Record<keyof StoreView, readonly string[]>>;

/**
 * A view without the fields in which two servers differ on purpose, by what they are in. Infinities are as MLflow's
 * databases keep them.
 */
export function comparable(view: StoreView, fields: Fields): StoreView {
  const clipped = new Map([
    ["Infinity", Number.MAX_VALUE],
    ["-Infinity", -Number.MAX_VALUE],
  ]);
  const without = (value: unknown, names: ReadonlySet<string>): unknown =>
    JSON.parse(
      JSON.stringify(value, function (this: Json, key, inner: unknown) {
        // `run_id` of a point, and not that of the run.
        const left = names.has(key) && (key !== "run_id" || "value" in this);
        return left ? undefined : key === "value" ? (clipped.get(String(inner)) ?? inner) : inner;
      }),
    );
  const all = Object.entries(view).map(([entity, rows]) => {
    const names = new Set([...fields.everywhere, ...(fields[entity as keyof StoreView] ?? [])]);
    const bare = without(rows, names);
    const ordered = Array.isArray(bare)
      ? sorted(bare as Json[])
      : Object.fromEntries(
          Object.entries(bare as Record<string, Json[]>).map(([key, points]) => [key, sorted(points)]),
        );
    return [entity, ordered];
  });
  return Object.fromEntries(all) as StoreView;
}
