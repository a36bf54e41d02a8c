// Reads recorded requests of a client, and puts the ids of this server in the place of theirs.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ZenmlVersion } from "../src/environment.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "traces");

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface Recorded {
  /** The command or the pipeline that the client was given. */
  readonly during: string;
  readonly line: number;
  readonly method: string;
  /** Under `/api/v1`. */
  readonly path: string;
  readonly status: number;
  readonly query: Readonly<Record<string, Json>>;
  readonly body: Json | undefined;
}

/** The keys of an answer, and of its body, metadata and resources. */
export type Keys = Readonly<Record<string, readonly string[]>>;

export function readTrace(version: ZenmlVersion): Recorded[] {
  const recorded: Recorded[] = [];
  let during = "";
  for (const [index, line] of readFileSync(join(folder, `${version}.txt`), "utf8")
    .split("\n")
    .entries()) {
    if (line.startsWith("# ")) during = line.slice(2);
    const found = /^([A-Z]+) (\S+) (\d{3})(?: \?(\{.*?\}))?(?: = (.*))?$/.exec(line);
    if (found === null) continue;
    const [, method = "", path = "", status, query = "{}", body] = found;
    recorded.push({
      during,
      line: index + 1,
      method,
      path,
      status: Number(status),
      query: JSON.parse(query) as Record<string, Json>,
      body: body === undefined ? undefined : (JSON.parse(body) as Json),
    });
  }
  return recorded;
}

export const readKeys = (version: ZenmlVersion): Readonly<Record<string, Keys>> =>
  JSON.parse(readFileSync(join(folder, `${version}.keys.json`), "utf8")) as Record<string, Keys>;

/** What a member of a body or a query is the id of. */
const kindOfMember: Readonly<Record<string, string>> = {
  project: "projects",
  pipeline: "pipelines",
  pipeline_id: "pipelines",
  pipeline_run_id: "runs",
  run: "runs",
  snapshot: "pipeline_snapshots",
  deployment: "pipeline_deployments",
  stack: "stacks",
  stack_id: "stacks",
  artifact_store_id: "artifact_store",
  artifact_store: "artifact_store",
  orchestrator: "orchestrator",
  container_registry: "container_registry",
  connector: "service_connectors",
  logs_id: "logs",
  step_run_id: "steps",
  publisher_step_id: "steps",
  original_step_run_id: "steps",
  model: "models",
  model_version: "model_versions",
  model_version_id: "model_versions",
  artifact_version: "artifact_versions",
  tag_id: "tags",
  step_run: "steps",
};

/** The latest id of each kind, as far as the answers have told them. */
export class KnownIds {
  readonly #ids = new Map<string, string[]>();
  #times = 0;

  add(kind: string, id: string): void {
    this.#ids.set(kind, [...(this.#ids.get(kind) ?? []).filter((one) => one !== id), id]);
  }

  remove(kind: string, id: string): void {
    this.#ids.set(
      kind,
      (this.#ids.get(kind) ?? []).filter((one) => one !== id),
    );
  }

  /** The first of a kind that was not taken yet: what steps that run at once have prepared, one for each. */
  take(kind: string): string {
    const [first, ...rest] = this.#ids.get(kind) ?? [];
    this.#ids.set(kind, rest);
    return first ?? randomUUID();
  }

  latest(kind: string): string {
    // What was never told is an id that the client has made up itself, or nobody's.
    return this.#ids.get(kind)?.at(-1) ?? randomUUID();
  }

  /** `/stacks/<uuid>` with the id of a stack. */
  path(recorded: string): string {
    const parts = recorded.split("/");
    return parts
      .map((part, index) => (part === "<uuid>" ? this.latest(parts[index - 1] ?? "") : part))
      .join("/");
  }

  put(value: Json, member = "", owner: Readonly<Record<string, Json>> = {}): Json {
    if (Array.isArray(value)) return value.map((one: Json) => this.put(one, member, owner));
    if (typeof value === "object" && value !== null) {
      const map = value as Readonly<Record<string, Json>>;
      const inside = member === "inputs" || member === "outputs" ? "artifact_version" : undefined;
      return Object.fromEntries(
        Object.entries(map).map(([key, one]) => [key, this.put(one, inside ?? key, map)]),
      );
    }
    if (typeof value !== "string") return value;
    if (value === "<uuid>") return this.#idOf(member, owner);
    return value
      .replaceAll("<uuid>", () => randomUUID())
      .replaceAll("<ts>", "2026-11-21T03:05:19.961369")
      .replaceAll("<date-time>", () => `2026_11_21-${(this.#times += 1)}`);
  }

  #idOf(member: string, owner: Readonly<Record<string, Json>>): string {
    const type = member === "resource_id" ? owner["resource_type"] : owner["type"];
    if (member === "logs") return this.take("prepared");
    const kind = kindOfMember[member] ?? kindOfMember[String(type)];
    return kind === undefined ? randomUUID() : this.latest(kind);
  }
}
