// Which installed packages workspaces need to run, read from the lock file: `npm ci --omit=dev` would not leave
// out what one entry of a tree needs and another does not.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

type Locked = {
  link?: boolean;
  resolved?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
};

/** Paths such as `node_modules/pg`, sorted. Packages named in `without`, and what only they need, are left out. */
export function productionPackages(
  root: string,
  workspaces: readonly string[],
  without: ReadonlySet<string>,
): string[] {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, Locked>;
  };
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    const locked = lock.packages[path];
    for (const { name, optional } of needs(locked ?? {})) {
      if (without.has(name)) continue;
      const place = placeOf(lock.packages, path, name);
      if (place !== undefined && existsSync(join(root, place))) visit(place);
      else if (!optional) throw new Error(`${path} needs ${name}, which is not installed; run npm ci`);
    }
  };
  for (const workspace of workspaces) visit(workspace);
  return [...found].filter((path) => path.includes("node_modules/")).sort();
}

function needs(locked: Locked): { name: string; optional: boolean }[] {
  // A peer that is optional is there for whoever depends on it by itself.
  const peers = Object.keys(locked.peerDependencies ?? {}).filter(
    (name) => locked.peerDependenciesMeta?.[name]?.optional !== true,
  );
  return [
    ...[...Object.keys(locked.dependencies ?? {}), ...peers].map((name) => ({ name, optional: false })),
    ...Object.keys(locked.optionalDependencies ?? {}).map((name) => ({ name, optional: true })),
  ];
}

/** Where Node finds `name` from the package at `from`: in the nearest node_modules going up. */
function placeOf(packages: Record<string, Locked>, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")))) {
    const place = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    const locked = packages[place];
    if (locked !== undefined) return locked.link === true ? locked.resolved : place;
    if (folder === "") return undefined;
  }
}
