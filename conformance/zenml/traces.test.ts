// What both clients were recorded to send ZenML's own server, sent again to Plinth request by request: the statuses are
// the recorded ones, and the answers have every key that the recorded answers have.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zenmlClients, type ZenmlVersion } from "../src/environment.ts";
import { admin, startGuardedPlinth, type Target } from "../src/target.ts";
import { readKeys, readTrace, KnownIds, type Json, type Keys, type Recorded } from "./trace.ts";

type Answer = { readonly [key: string]: Json };

/** What cannot be sent as it was recorded. */
const isLeft = ({ during, status }: Recorded): boolean =>
  // By a service account that does not administer; here the administrator sends everything.
  during.includes("key of a service account that is not admin") ||
  (during === "user create" && status === 403) ||
  // Of a trigger that no recorded request makes, and a version by its name, which the requests do not tell.
  during === "trigger schedule attach" ||
  status === 500;

/** In 0.84.0's, the key belongs to an account whose making was not recorded. */
const isOfUnknownKey = ({ during, method }: Recorded): boolean =>
  /api-key (rotate|delete)$/.test(during) && method !== "GET";

let target: Target | undefined;
const wrong = new Map<ZenmlVersion, readonly unknown[]>();
const sent = new Map<ZenmlVersion, number>();

const isAnswer = (value: Json | undefined): value is Answer =>
  typeof value === "object" && value !== null && !Array.isArray(value);

class Replay {
  readonly #ids = new KnownIds();
  readonly #headers: Readonly<Record<string, string>>;
  readonly #keys: Readonly<Record<string, Keys>>;
  readonly #url: string;
  readonly #version: ZenmlVersion;

  constructor(url: string, version: ZenmlVersion, token: string) {
    this.#url = `${url}/api/v1`;
    this.#version = version;
    this.#keys = readKeys(version);
    this.#headers = {
      authorization: `Bearer ${token}`,
      "user-agent": `zenml/${version}`,
      "content-type": "application/json",
    };
  }

  /** What the client knew when it was recorded: what every server begins with, and what other requests had made. */
  async begin(): Promise<void> {
    for (const path of ["/projects/default", "/stacks?name=default", "/components?size=100"])
      await this.#ask("GET", path);
    const made = await this.#ask("POST", "/models", this.#ids.put({ project: "<uuid>", name: "m1" }));
    for (const name of ["1", "2"])
      await this.#ask(
        "POST",
        "/model_versions",
        this.#ids.put({ project: "<uuid>", name, model: made.id ?? null }),
      );
    await this.#ask("POST", "/service_accounts", { name: "known", description: "", active: true });
    await this.#ask("POST", this.#ids.path("/service_accounts/<uuid>/api_keys"), {
      name: "known",
      description: "",
    });
    await this.#ask("POST", "/pipelines", this.#ids.put({ project: "<uuid>", name: "scheduled" }));
    const planned = {
      project: "<uuid>",
      name: "kept",
      active: true,
      cron_expression: "0 3 * * *",
      catchup: false,
    };
    const of = { pipeline_id: "<uuid>", orchestrator_id: this.#ids.latest("orchestrator") };
    if (this.#version === "0.98.0")
      await this.#ask("POST", "/schedules", this.#ids.put({ ...planned, ...of }));
  }

  async request(one: Recorded): Promise<unknown> {
    const path = this.#ids.path(one.path);
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(this.#ids.put(one.query) as Answer)) {
      if (value !== null) query.set(name, String(value));
    }
    const body = one.body === undefined ? undefined : this.#ids.put(one.body);
    const { status, answer } = await this.#ask(one.method, `${path}?${query.toString()}`, body);
    if (one.method === "DELETE" && status === 200) this.#forget(path);
    const missing = status === 200 ? this.#missing(`${one.method} ${one.path}`, answer) : [];
    if (status === one.status && missing.length === 0) return undefined;
    return {
      at: `${one.during}, line ${one.line}`,
      asked: `${one.method} ${one.path}`,
      status,
      recorded: one.status,
      missing,
      answer,
    };
  }

  async #ask(
    method: string,
    path: string,
    body?: Json,
  ): Promise<{ status: number; answer: Json; id?: string }> {
    const response = await fetch(this.#url + path, {
      method,
      headers: this.#headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json().catch(() => null)) as Json;
    if (!response.ok) return { status: response.status, answer };
    const kind = /^\/([\w-]+)/.exec(path)?.[1] ?? "";
    const owned = /^\/service_accounts\/[^/]+\/api_keys/.test(path) ? "api_keys" : kind;
    this.#learn(owned, answer, path);
    return {
      status: response.status,
      answer,
      ...(isAnswer(answer) && typeof answer["id"] === "string" ? { id: answer["id"] } : {}),
    };
  }

  #learn(kind: string, answer: Json, path: string): void {
    if (Array.isArray(answer)) for (const one of answer) this.#learn(kind, one, path);
    if (!isAnswer(answer)) return;
    const items = answer["items"];
    // The client goes on with the first that it finds.
    if (Array.isArray(items)) for (const one of items.toReversed()) this.#learn(kind, one, path);
    const id = answer["id"];
    if (typeof id !== "string") return;
    this.#ids.add(kind, id);
    const body = isAnswer(answer["body"]) ? answer["body"] : {};
    const type = body["type"];
    if (kind === "logs" && body["source"] === "prepare_step") this.#ids.add("prepared", id);
    if (kind === "components" && typeof type === "string") this.#ids.add(type, id);
    const resources = answer["resources"];
    const model = isAnswer(resources) ? resources["model_version"] : undefined;
    if (isAnswer(model) && typeof model["id"] === "string") this.#ids.add("model_versions", model["id"]);
  }

  #forget(path: string): void {
    const [kind = "", id = ""] = path.split("/").slice(-2);
    this.#ids.remove(kind, id);
    for (const type of ["artifact_store", "orchestrator", "container_registry"]) this.#ids.remove(type, id);
  }

  #missing(route: string, answer: Json): string[] {
    const keys = this.#keys[route];
    const items = isAnswer(answer) ? answer["items"] : undefined;
    const one = Array.isArray(items) ? items[0] : answer;
    if (keys === undefined || !isAnswer(one)) return [];
    return Object.entries(keys).flatMap(([part, names]) => {
      const inside = part === "" ? one : one[part];
      // Without hydration there is no metadata, in the example as little as here.
      if (!isAnswer(inside)) return [];
      return names.filter((name) => !(name in inside)).map((name) => `${part}.${name}`);
    });
  }
}

async function tokenOf(url: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/login`, { method: "POST", body: new URLSearchParams(admin) });
  const { access_token } = (await response.json()) as { access_token: string };
  return access_token;
}

beforeAll(async () => {
  // One after the other on the same server: the second finds what the first has left.
  for (const version of zenmlClients) {
    target = await startGuardedPlinth();
    const replay = new Replay(target.url, version, await tokenOf(target.url));
    await replay.begin();
    const found: unknown[] = [];
    const trace = readTrace(version).filter(
      (one) => !isLeft(one) && !(version === "0.84.0" && isOfUnknownKey(one)),
    );
    for (const one of trace) {
      const difference = await replay.request(one);
      if (difference !== undefined) found.push(difference);
    }
    wrong.set(version, found);
    sent.set(version, trace.length);
    expect(await target.stop()).toBe(0);
    target = undefined;
  }
});
afterAll(async () => {
  await target?.stop();
});

describe.each(zenmlClients)("the requests recorded of zenml %s", (version) => {
  it("are answered with the recorded statuses and keys", () => {
    expect(sent.get(version)).toBeGreaterThan(100);
    expect(wrong.get(version)).toEqual([]);
  });
});
