import { edits, loginAccess, manages, reads, type AccessToObjects } from "../../kernel/access.ts";
import { notFound, notImplemented } from "../../kernel/errors.ts";
import type { Endpoint } from "./endpoint.ts";
import { filtered, needs } from "./guard.ts";
import { json, message, type Check, type Message, type Values } from "./wire.ts";

/**
 * MLflow's endpoints for what Plinth does not keep yet: traces, evaluation datasets, scorers, prompts'
 * optimisation, the AI gateway. None of these can exist, so a list is empty and an id is unknown, which is all
 * that the web UI and clients ask in passing; making one is 501, which no client repeats. Whoever builds one of
 * these takes its lines out.
 */

type Method = Endpoint["method"];
type Resource = AccessToObjects["resource"];

/** A call: `"POST /3.0/mlflow/traces"`. */
export type Name = `${Method} /${string}`;

type Fields = { request?: Message; checks?: Readonly<Record<string, readonly Check[]>> };

const noFields = message({});

function endpoint(
  name: Name,
  access: AccessToObjects,
  { request = noFields, checks = {}, handle }: Fields & Pick<Endpoint, "handle">,
): Endpoint {
  return { ...callOf(name), access, needs: needsOf(access), request, checks, handle };
}

function callOf(name: Name): { method: Method; path: string } {
  const [method, path] = name.split(" ") as [Method, string];
  return { method, path };
}

/** Asks about the experiments that a request names, else about the workspace as a whole. */
export const needsOf =
  (access: AccessToObjects): NonNullable<Endpoint["needs"]> =>
  (_values, { source, request }) => {
    const query = request.query as Values;
    const named = ["experiment_id", "experiment_ids"]
      .flatMap((field) => source[field] ?? query[field])
      .filter((id) => typeof id === "string" && id !== "");
    if (named.length === 0 && access.action === "read") return filtered;
    const ids = named.length === 0 ? ["*"] : new Set(named as string[]);
    return [...ids].map((id) => needs(access.action, { type: "experiment", id }));
  };

/** A list of things that there are none of. */
export const empty = (
  name: Name,
  resource: Resource,
  { answer = {}, ...fields }: Fields & { answer?: object } = {},
): Endpoint => endpoint(name, reads(resource), { ...fields, handle: () => answer });

/** The same for whoever is logged in, in whatever workspace. */
export const emptyForAll = (name: Name, answer: object): Endpoint => ({
  ...callOf(name),
  access: loginAccess,
  scoped: false,
  request: noFields,
  handle: () => answer,
});

/** Reads or changes one thing by its id: no such thing is here. */
export const unknown = (
  names: readonly Name[],
  resource: Resource,
  say: (id: (field: string) => string) => string,
): Endpoint[] =>
  names.map((name) =>
    endpoint(name, accessOf(name, resource), {
      handle(_values, { path, source, request }) {
        const query = request.query as Values;
        throw notFound(say((field) => shown(path[field] ?? source[field] ?? query[field])));
      },
    }),
  );

/** Makes something that Plinth does not keep. What the request must have is asked for first. */
export const refused = (
  name: Name,
  resource: Resource,
  { what, needs = [] }: { what: string; needs?: readonly string[] },
): Endpoint =>
  endpoint(name, edits(resource), {
    request: message(Object.fromEntries(needs.map((field) => [field, json]))),
    checks: Object.fromEntries(needs.map((field) => [field, ["required"] as const])),
    handle() {
      throw notImplemented(
        `This version of Plinth does not keep ${what} yet: nothing was stored or started.`,
      );
    },
  });

function accessOf(name: Name, resource: Resource): AccessToObjects {
  if (name.startsWith("GET ")) return reads(resource);
  return name.startsWith("DELETE ") ? manages(resource) : edits(resource);
}

const LONGEST = 200;

const shown = (id: unknown): string => (typeof id === "string" ? id.slice(0, LONGEST) : "");
