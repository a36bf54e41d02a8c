import { readdirSync, readFileSync } from "node:fs";

/** Reads the schemas of `infra/data` when they are first asked for: `plinth up` must not pay for them. */

const DATA = new URL("../../data/", import.meta.url);

const parsed = new Map<string, unknown>();
const listings = new Map<string, ReadonlySet<string>>();

/** Names of the JSON files of a folder of `infra/data`, without their ending. */
export function dataFiles(folder: "crds" | "charts"): ReadonlySet<string> {
  let names = listings.get(folder);
  if (names === undefined) {
    const files = readdirSync(new URL(`${folder}/`, DATA)).filter((file) => file.endsWith(".json"));
    listings.set(folder, (names = new Set(files.map((file) => file.slice(0, -".json".length)).sort())));
  }
  return names;
}

/** The content of one of them; undefined when there is none of this name. */
export function dataFile(folder: "crds" | "charts", name: string): unknown {
  if (!dataFiles(folder).has(name)) return undefined;
  const path = `${folder}/${name}.json`;
  if (!parsed.has(path)) parsed.set(path, JSON.parse(readFileSync(new URL(path, DATA), "utf8")));
  return parsed.get(path);
}
