import { readFileSync } from "node:fs";

/** What the clients and servers of ZenML and MLflow know, as data: `infra/scripts/refresh-client-tables.ts` writes it. */

/** A command of `zenml`. */
export type CliNode = {
  /** Options that take a value. */
  o?: string[];
  /** Options that take none. */
  f?: string[];
  /** How many arguments it takes. */
  a?: number;
  /** Takes any number more. */
  v?: boolean;
  /** Hands options that it does not know on: they are settings of what it registers. */
  u?: boolean;
  /** Options that must be there, each with its spellings. */
  r?: string[][];
  c?: Record<string, CliNode>;
};

export type Fields = { fields: string[]; required: string[] };

export type RestTable = {
  /** Path to methods to the name of the body, empty where it has none or a free one. */
  paths: Record<string, Record<string, string>>;
  bodies: Record<string, Fields>;
};

/** Keys of a configuration, with those that hold secrets. */
export type ConfigurationKeys = Fields & { secret?: string[] };

export type Catalogue = {
  version: string;
  /** Component type to flavor to the keys of its configuration. */
  flavors: Record<string, Record<string, ConfigurationKeys>>;
  connectors: Record<string, { resourceTypes: string[]; methods: Record<string, ConfigurationKeys> }>;
};

const DATA = new URL("../../data/", import.meta.url);
const read = new Map<string, unknown>();

function table(path: string): unknown {
  if (!read.has(path)) read.set(path, JSON.parse(readFileSync(new URL(path, DATA), "utf8")));
  return read.get(path);
}

type Versions<T> = { versions: Record<string, T> };

/** The commands of each release of ZenML that is kept, oldest first. */
export const zenmlCommands = (): Record<string, CliNode> =>
  (table("zenml/cli.json") as Versions<CliNode>).versions;

export const zenmlRest = (): Record<string, RestTable> =>
  (table("zenml/rest.json") as Versions<RestTable>).versions;

export const zenmlCatalogue = (): Catalogue => table("zenml/catalogue.json") as Catalogue;

/** Routes of MLflow to their methods; none where any may do. */
export const mlflowRoutes = (): Record<string, string[]> =>
  Object.values((table("mlflow/routes.json") as Versions<Record<string, string[]>>).versions).at(-1) ?? {};
