// Lists asked for with every filter and every order that upstream's own document of its endpoints names.
import type { Query, Variables } from "../mlflow/scenario.ts";
import type { Server } from "./reference.ts";
import { get, perform, type RawAnswer, type Sweep } from "./requests.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema?: { readonly type?: string; readonly anyOf?: readonly { readonly type?: string }[] };
}

interface Document {
  readonly paths: Readonly<Record<string, { readonly get?: { readonly parameters?: readonly Parameter[] } }>>;
}

/** Every operator of every filter takes minutes; unless asked for, all of them are tried with names and times only. */
const whole = process.env["ZENML_SWEEP"] === "whole";

/** How a page is asked for; the rest are filters. */
const paging = new Set([
  "page",
  "size",
  "hydrate",
  "logical_operator",
  "sort_by",
  // Another word for `project`, which neither client uses.
  "project_name_or_id",
  // Set by the server itself, for every list alike.
  "scope_user",
]);

interface Filter {
  readonly name: string;
  /** True or false, which takes no operator. */
  readonly isFlag: boolean;
}

async function readFilters(reference: Server, path: string): Promise<Filter[]> {
  const answer = await fetch(`${reference.url}/openapi.json`);
  const document = (await answer.json()) as Document;
  const parameters = document.paths[`/api/v1${path}`]?.get?.parameters ?? [];
  return parameters
    .filter((one) => one.in === "query" && !paging.has(one.name))
    .map(({ name, schema }) => {
      const types = new Set((schema?.anyOf ?? [schema ?? {}]).map(({ type }) => type));
      return { name, isFlag: types.has("boolean") && !types.has("string") };
    });
}

type Item = Readonly<Record<string, unknown>>;
type Page = { readonly items?: readonly Item[]; readonly total?: number; readonly detail?: unknown };

/** Asks both servers the same, a few requests at a time; a line for each that they answered otherwise. */
export async function sweep(
  { path, scope, orders = [] }: Sweep,
  servers: readonly [Server, Server],
  names: readonly [Variables, Variables],
): Promise<string[]> {
  const [plinth, reference] = servers;
  const filters = await readFilters(reference, path);
  const first = (await perform(get("", path, { ...scope, hydrate: "true" }), reference, names[1]))
    .body as Page;
  const queries = filters.flatMap(({ name, isFlag }) =>
    isFlag
      ? ["true", "False", "1", "no", "perhaps", ""].map((value): Query => ({ [name]: value }))
      : filtersBy(name, byName(valueOf(first.items?.[0], name), names[1])),
  );
  const sorts = filters.flatMap(({ name }): Query[] => [
    { sort_by: `asc:${name}` },
    { sort_by: `desc:${name}` },
  ]);
  const found: string[] = [];
  const ask = async (query: Query): Promise<void> => {
    const step = get("", path, { ...both(scope, query), size: "1000" });
    const isOrdered =
      query["sort_by"] === undefined || orders.includes(String(query["sort_by"]).split(":")[1] ?? "");
    const [mine, theirs] = await Promise.all([
      perform(step, plinth, withParts(names[0])).then((answer) => summary(answer, names[0], isOrdered)),
      perform(step, reference, withParts(names[1])).then((answer) => summary(answer, names[1], isOrdered)),
    ]);
    // Where upstream fails, Plinth must not.
    const isTheirFault = theirs.startsWith("500 ") && !mine.startsWith("500 ");
    // Plinth orders by more columns than upstream does.
    const isMore = query["sort_by"] !== undefined && theirs.startsWith("422 ") && /^\d+:/.test(mine);
    if (mine !== theirs && !isTheirFault && !isMore)
      found.push(`${JSON.stringify(query)}: ${mine}, not ${theirs}`);
  };
  const all = [...queries, ...sorts];
  const workers = Array.from({ length: 4 }, async () => {
    for (let query = all.shift(); query !== undefined; query = all.shift()) await ask(query);
  });
  await Promise.all(workers);
  return found.toSorted((a, b) => (a < b ? -1 : 1));
}

/** A filter of the scope and one of the query on the same field are both sent. */
function both(scope: Query, query: Query): Query {
  const list = (value: Query[string] | undefined): readonly string[] => [value ?? []].flat();
  const keys = [...new Set([...Object.keys(scope), ...Object.keys(query)])];
  return Object.fromEntries(keys.map((key) => [key, [...list(scope[key]), ...list(query[key])]]));
}

/** What is tried with one filter, given a value that the first row has; ids by the names that they were saved under. */
function filtersBy(name: string, value: string | undefined): Query[] {
  // Of a filter that no row has a value for, only what a client would ask.
  if (value === undefined) return [{ [name]: "text" }, { [name]: 'oneof:["text"]' }];
  const known = value;
  const id = /^\{(\w+)\}$/.exec(known)?.[1];
  const part = id === undefined ? known.slice(0, Math.max(1, Math.floor(known.length / 2))) : `{${id}_part}`;
  const end = id === undefined ? known.slice(-4) : `{${id}_end}`;
  const main = [known, `notequals:${known}`, `contains:${part}`, `oneof:["${known}"]`, "isnull:"];
  const plain = ["", "nothing has this", `equals:${known}`];
  const text = [`startswith:${part}`, `endswith:${end}`, "oneof:no list"];
  // What is greater than an id is no question.
  const numbers =
    id === undefined ? [`gt:${known}`, `gte:${known}`, `lt:${known}`, `lte:${known}`, "gt:3", "lte:x"] : [];
  const later = [`notoneof:["${known}"]`, `notcontains:${part}`, "isnotnull:", "unheard:x"];
  const repeated: Query[] = [{ [name]: [`contains:${part}`, `notequals:${known}`] }];
  const isWhole = whole || name === "name" || name === "created";
  const values = isWhole
    ? [...main, ...plain, ...text, ...numbers, ...later]
    : [...main, ...numbers.slice(0, 1)];
  return [...values.map((one) => ({ [name]: one })), ...(isWhole ? repeated : [])];
}

/** The names with parts of each id beside them. */
function withParts(names: Variables): Variables {
  const parts = [...names]
    .filter(([, value]) => value.length === 36)
    .flatMap(([name, id]): [string, string][] => [
      [`${name}_part`, id.slice(0, 18)],
      [`${name}_end`, id.slice(-4)],
    ]);
  return new Map([...names, ...parts]);
}

/** Where an item of a list has what a filter is about: beside its id, in its body or metadata, or as the id of a resource. */
function valueOf(item: Item | undefined, name: string): string | undefined {
  if (item === undefined) return undefined;
  for (const part of [item, item["body"], item["metadata"]] as (Item | null | undefined)[]) {
    const value = part?.[name];
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      return timeOf(String(value));
  }
  const resource = (item["resources"] as Record<string, Item | null> | null | undefined)?.[
    name.replace(/_id$/, "")
  ];
  const id = resource?.[name.endsWith("_id") ? "id" : "name"];
  return typeof id === "string" ? id : undefined;
}

/** Times as filters take them, which is without their fractions; so far back that no row is near. */
const timeOf = (value: string): string => (/^\d{4}-\d\d-\d\dT/.test(value) ? "2020-02-03 04:05:06" : value);

/** A value as each server is asked with its own: ids by the names that they were saved under. */
function byName(value: string | undefined, names: Variables): string | undefined {
  const found = [...names].find(([, id]) => id === value && id.length === 36);
  return found === undefined ? value : `{${found[0]}}`;
}

/** Status and what was found, by the names that the rows were saved under. */
function summary({ status, body }: RawAnswer, names: Variables, isOrdered: boolean): string {
  if (status !== 200) {
    const detail = Array.isArray(body) ? body : (body as Page).detail;
    return `${status} ${Array.isArray(detail) ? String(detail[0]) : String(detail)}${Array.isArray(body) ? " bare" : ""}`;
  }
  const byId = new Map([...names].map(([name, id]) => [id, name]));
  const { items = [], total } = body as Page;
  const rows = items.map((one) => byId.get(String(one["id"])) ?? String(one["name"] ?? "?"));
  return `${total}: ${(isOrdered ? rows : rows.toSorted((a, b) => (a < b ? -1 : 1))).join(" ")}`;
}
