// What is asked of every kind of entity, made from a description of the kind.
import type { Query } from "../mlflow/scenario.ts";
import type { ZenmlVersion } from "../src/environment.ts";
import { del, get, post, put, sweepOf, type Scenario, type Step } from "./requests.ts";

type Body = Readonly<Record<string, unknown>>;

export interface EntityKind {
  readonly name: string;
  /** Its list, below `/api/v1`. */
  readonly path: string;
  /** Made before everything else, such as what it refers to. */
  readonly given?: readonly Step[];
  /** Saved under these names; the first one is what is read, changed and deleted. */
  readonly seeds: Readonly<Record<string, Body>>;
  /** Fields of a request that cannot be left out. */
  readonly required: readonly string[];
  /** Fields of a request that are probed with values of every type. */
  readonly probed: readonly string[];
  /** A field that must be new in each request for it to be no duplicate, usually the name. */
  readonly unique?: string;
  /** Further requests to create something, each with what is other than in the first seed. */
  readonly variants?: Readonly<Record<string, Body>>;
  readonly updates: Readonly<Record<string, Body>>;
  /** Fields of an update that are probed with values of every type. */
  readonly probedUpdates?: readonly string[];
  /** What every update has to say besides. */
  readonly updateBase?: Body;
  /** What narrows the list to the rows of the scenario. */
  readonly scope: Query;
  /** There is no list of them. */
  readonly unlisted?: true;
  /** How it is asked for that one is deleted. */
  readonly deletion?: Query;
  readonly orders?: readonly string[];
  readonly versions?: readonly ZenmlVersion[];
  /** Further steps, before the deletion. */
  readonly further?: readonly Step[];
}

const missing = "7d2c3ab0-5a0e-4b6e-9a53-3f6f0a7f1c11";

/** Values of every type, by what they are called. */
const values: Readonly<Record<string, unknown>> = {
  null: null,
  "a number": 7,
  "a fraction": 1.5,
  true: true,
  "an empty text": "",
  "a text": "text",
  "a number in a text": "7",
  "an empty list": [],
  "an empty object": {},
  "a list": ["a"],
  "an object": { a: 1 },
};

const names: Readonly<Record<string, string>> = {
  "255 letters": `{unique}${"n".repeat(245)}`,
  "256 letters": "n".repeat(256),
  "10,000 letters": "n".repeat(10_000),
  "spaces and slashes": "{unique} a/b \\ 'c' \"d\"",
  "other alphabets": "{unique} Ünïcode 名前 🙂",
  "a UUID": "{uuid}",
};

/** The matrix of requests for one kind. */
export function entityScenario(kind: EntityKind): Scenario {
  const { path, seeds, unique = "name", updateBase = {} } = kind;
  const [first = "", second = first] = Object.keys(seeds);
  const base = seeds[first] ?? {};
  const one = `${path}/{${first}}`;
  let count = 0;
  const fresh = (body: Body): Body => {
    count += 1;
    return unique in base && !(unique in body)
      ? { ...base, [unique]: `{unique}-p${count}`, ...body }
      : { ...base, ...body };
  };
  const probes = kind.probed.flatMap((field) =>
    Object.entries(values).map(([label, value]) =>
      post(`${field} is ${label}`, path, fresh({ [field]: value })),
    ),
  );
  const updateProbes = (kind.probedUpdates ?? []).flatMap((field) =>
    Object.entries(values).map(([label, value]) =>
      put(`changed: ${field} is ${label}`, one, { ...updateBase, [field]: value }),
    ),
  );
  const unnamed = (field: string): Body =>
    Object.fromEntries(Object.entries(fresh({})).filter(([key]) => key !== field));
  const steps: Step[] = [
    ...(kind.given ?? []),
    ...Object.entries(seeds).map(([name, body]) => post(`given ${name}`, path, body, { [name]: "id" })),
    ...(kind.unlisted === true
      ? []
      : [sweepOf(path, { scope: kind.scope, orders: kind.orders ?? ["created"] }), ...pages(kind)]),
    get("read", one),
    get("read without metadata", one, { hydrate: "false" }),
    get("read with a flag that is none", one, { hydrate: "perhaps" }),
    get("read what is not there", `${path}/${missing}`),
    get("read by what is no id", `${path}/no-id`),
    post("a duplicate", path, base),
    ...kind.required.map((field) => post(`without ${field}`, path, unnamed(field))),
    post("with a field that nobody knows", path, fresh({ unheard_of: { a: 1 } })),
    ...Object.entries(kind.variants ?? {}).map(([label, body]) => post(label, path, fresh(body))),
    ...probes,
    ...("name" in base ? Object.entries(names) : []).map(([label, name]) =>
      post(`a name of ${label}`, path, fresh({ name })),
    ),
    post("an empty body", path, {}),
    post("a list as body", path, []),
    { label: "no JSON", method: "POST", path, raw: "{" },
    { label: "no body", method: "POST", path },
    ...Object.entries(kind.updates).flatMap(([label, body]) => [
      put(label, one, { ...updateBase, ...body }),
      get(`read after: ${label}`, one),
    ]),
    ...(Object.keys(kind.updates).length === 0 ? [] : changes(kind, one)),
    ...updateProbes,
    get("read after all that", one),
    ...(kind.further ?? []),
    del("deleted", one, kind.deletion),
    get("read after it was deleted", one),
    del("deleted twice", one, kind.deletion),
    del("what is not there is deleted", `${path}/${missing}`, kind.deletion),
    del("deleted by what is no id", `${path}/no-id`, kind.deletion),
    ...(second === first ? [] : [get("the others are still there", `${path}/{${second}}`)]),
  ];
  return {
    name: kind.name,
    steps,
    ...(kind.versions === undefined ? {} : { versions: kind.versions }),
  };
}

function changes({ path, updates, updateBase = {} }: EntityKind, one: string): Step[] {
  return [
    put("changed: nothing", one, {}),
    put("changed: a field that nobody knows", one, { ...updateBase, unheard_of: 1 }),
    put("changed: a list", one, []),
    put("changed: no body", one),
    put("changed: what is not there", `${path}/${missing}`, { ...updateBase, ...Object.values(updates)[0] }),
  ];
}

/** Pages of the seeds, which are alone in the scope by then. */
function pages({ path, scope }: EntityKind): Step[] {
  const ask = (label: string, query: Query): Step => get(label, path, { ...scope, ...query });
  return [
    ask("listed", {}),
    ask("listed with metadata", { hydrate: "true" }),
    ask("the first two", { size: "2", sort_by: "asc:created" }),
    ask("the second page", { size: "2", page: "2", sort_by: "desc:created" }),
    ask("a page beyond the last", { page: "1000" }),
    ask("page 0", { page: "0" }),
    ask("a page that is no number", { page: "x" }),
    ask("size 0", { size: "0" }),
    ask("size 10000", { size: "10000" }),
    ask("size 10001", { size: "10001" }),
    ask("an unknown order", { sort_by: "asc:nothing" }),
    ask("an unknown direction", { sort_by: "up:created" }),
    ask("an order without a direction", { sort_by: "created" }),
    ask("an unknown operator between filters", { logical_operator: "xor" }),
    ask("an unknown parameter", { unheard_of: "1" }),
    get("nothing found", path, { ...scope, name: "nothing is called so", id: missing }),
  ];
}
