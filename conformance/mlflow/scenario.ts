// The language of the case tables: a scenario is a list of requests that build on one another.
export interface Step {
  readonly label: string;
  readonly method: string;
  /** Path as it goes on the wire, after `{variables}` are filled in. */
  readonly path: string;
  readonly query?: Query | undefined;
  readonly json?: unknown;
  /** A body as it is, for what JSON.stringify cannot say. `{variables}` are filled in. */
  readonly raw?: string | Uint8Array | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Who asks: a name and a password, or nobody. Not given: whoever the scenarios are played by. */
  readonly login?: Login | "nobody" | undefined;
  /** Variables taken from the answer: name -> dotted path in the JSON body. */
  readonly save?: Readonly<Record<string, string>> | undefined;
  /** Answer headers that must be equal too. */
  readonly compareHeaders?: readonly string[] | undefined;
  /** Lists of the answer, by key, whose order hangs on random ids. */
  readonly asSet?: readonly string[] | undefined;
}

export type Login = readonly [username: string, password: string];

export type Query = Readonly<Record<string, string | readonly string[]>>;
export type Save = Readonly<Record<string, string>>;

export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
}

const api = "/api/2.0/mlflow/";
const json = { "content-type": "application/json" };

export function post(label: string, route: string, body: unknown, save?: Save): Step {
  return { label, method: "POST", path: path(route), json: body, headers: json, save };
}

export function patch(label: string, route: string, body: unknown, save?: Save): Step {
  return { label, method: "PATCH", path: path(route), json: body, headers: json, save };
}

export function remove(label: string, route: string, body: unknown): Step {
  return { label, method: "DELETE", path: path(route), json: body, headers: json };
}

export function get(label: string, route: string, query?: Query, save?: Save): Step {
  return { label, method: "GET", path: path(route), query, save };
}

/** A POST whose body is not what JSON.stringify writes. */
export function postRaw(label: string, route: string, raw: string | Uint8Array): Step {
  return { label, method: "POST", path: path(route), raw, headers: json };
}

/** Routes are named below the prefix that nearly all share; an absolute path stays as it is. */
function path(route: string): string {
  return route.startsWith("/") ? route : api + route;
}

export function newExperiment(as = "experiment"): Step {
  const body = { name: `{unique} ${as}` };
  return post(`given experiment ${as}`, "experiments/create", body, { [as]: "experiment_id" });
}

export function newRun(as = "run", fields: Readonly<Record<string, unknown>> = {}): Step {
  const body = { experiment_id: "{experiment}", run_name: as, user_id: "ann", start_time: 1000, ...fields };
  return post(`given run ${as}`, "runs/create", body, { [as]: "run.info.run_id" });
}

export function newModel(as = "model", fields: Readonly<Record<string, unknown>> = {}): Step {
  const body = { experiment_id: "{experiment}", name: as, ...fields };
  return post(`given model ${as}`, "logged-models", body, { [as]: "model.info.model_id" });
}

export type Variables = Map<string, string>;

/** Fills `{name}` in every string below `value`; braces around unknown names stay. */
export function fill<T>(value: T, variables: Variables): T;
export function fill(value: unknown, variables: Variables): unknown {
  if (typeof value === "string") {
    return value.replace(/\{([a-z_0-9]+)\}/gi, (whole, name: string) => variables.get(name) ?? whole);
  }
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((one: unknown) => fill(one, variables));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, fill<unknown>(one, variables)]),
    );
  }
  return value;
}

export function encodeQuery(query: Query): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    (typeof value === "string" ? [value] : value).map(
      (one) => `${encodeURIComponent(key)}=${encodeURIComponent(one)}`,
    ),
  );
  return pairs.join("&");
}

export function pick(value: unknown, dotted: string): string | undefined {
  let at: unknown = value;
  for (const part of dotted.split(".")) {
    if (at === null || typeof at !== "object") return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return typeof at === "string" ? at : typeof at === "number" ? String(at) : undefined;
}
