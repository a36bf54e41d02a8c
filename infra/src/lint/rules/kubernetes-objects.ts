import { posix } from "node:path";
import { containersOf, podTemplate, type PodTemplate } from "../../schemas/kubernetes-syntax.ts";
import { splitApiVersion } from "../../schemas/kubernetes-kinds.ts";
import { isTemplated } from "../../schemas/templated.ts";
import type { Problem } from "../rule.ts";
import type { HelmRelease, Located, Manifest, Path, Workspace } from "../workspace.ts";

/** How rules look at manifests: without surprises from missing parts, and without patches, which are no whole objects. */

export type Fields = Readonly<Record<string, unknown>>;

export const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** What stands at a path; undefined where the path ends before. */
export function at(value: unknown, ...path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<string | number, unknown>)[step];
  }
  return found;
}

/** Text that is known as it stands: no template, not empty. */
export const known = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && !isTemplated(value);

export const textAt = (value: unknown, ...path: Path): string | undefined => {
  const found = at(value, ...path);
  return known(found) ? found : undefined;
};

type Seen = { path: Path; message: string } & Pick<Problem, "remedy" | "severity">;

export function problemAt(located: Located, { path, message, ...more }: Seen): Problem {
  return { file: located.file, line: located.lineOf(path), message, ...more };
}

/** Works something out once for each workspace: many rules ask for the same, once for every reference. */
export function perWorkspace<T extends object>(
  workOut: (workspace: Workspace) => T,
): (workspace: Workspace) => T {
  const done = new WeakMap<Workspace, T>();
  return (workspace) => {
    const before = done.get(workspace);
    if (before !== undefined) return before;
    const result = workOut(workspace);
    done.set(workspace, result);
    return result;
  };
}

/** Patches by their name: kustomizations of other repositories, or lines commented out, may name them. */
const PATCH_NAME = /(?:^|[-_.])patch(?:es)?(?:[-_.]|$)/;

/** Parts of objects that are laid over others: what kustomizations name as patches, or what is called so. */
export const isPatch = (workspace: Workspace, { file, value }: Manifest): boolean =>
  patchFiles(workspace).has(posix.normalize(file)) ||
  PATCH_NAME.test(posix.basename(file)) ||
  "$patch" in value;

const patchFiles = perWorkspace(
  ({ kustomizations }): ReadonlySet<string> =>
    new Set(
      kustomizations.flatMap(({ folder, value }) => {
        const named = [
          ...list(value["patchesStrategicMerge"]),
          ...[...list(value["patches"]), ...list(value["patchesJson6902"])].map((patch) => at(patch, "path")),
        ];
        return named.filter((path) => typeof path === "string").map((path) => posix.join(folder, path));
      }),
    ),
);

/** Whole objects of a kind, whatever their version: `HTTPRoute`, or `Cluster postgresql.cnpg.io` where several groups have it. */
export function objectsOf(workspace: Workspace, ...kinds: readonly string[]): readonly Manifest[] {
  const byKind = wholeObjects(workspace);
  const [kind = ""] = kinds;
  return kinds.length === 1 ? (byKind.get(kind) ?? []) : kinds.flatMap((one) => byKind.get(one) ?? []);
}

const wholeObjects = perWorkspace((workspace) => {
  const byKind = new Map<string, Manifest[]>();
  for (const manifest of workspace.manifests) {
    if (isPatch(workspace, manifest)) continue;
    for (const key of [manifest.kind, `${manifest.kind} ${splitApiVersion(manifest.apiVersion).group}`]) {
      const same = byKind.get(key);
      if (same === undefined) byKind.set(key, [manifest]);
      else same.push(manifest);
    }
  }
  return byKind;
});

export type Container = { value: Fields; path: Path; init: boolean };
export type Workload = { manifest: Manifest; template: PodTemplate; containers: readonly Container[] };

/** Everything that makes pods, with the containers in it. */
export const workloadsOf = perWorkspace((workspace): readonly Workload[] =>
  workspace.manifests.flatMap((manifest) => {
    const template = isPatch(workspace, manifest) ? undefined : podTemplate(manifest.value);
    return template === undefined ? [] : [{ manifest, template, containers: containersOf(template) }];
  }),
);

export const labelsOf = (template: PodTemplate): Fields => fields(at(template.value, "metadata", "labels"));

/** Whether two namespaces can be the same: one that is not told, or is set from outside, may be any. */
export const mayBeSameNamespace = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined ||
  b === undefined ||
  a === b ||
  (isTemplated(a) && !isTemplated(b)) ||
  (isTemplated(b) && !isTemplated(a));

/** Whether labels fulfil a selector, as far as both are told. */
export function mayMatch(wanted: Fields, labels: Fields): boolean {
  if (Object.keys(labels).some(isTemplated)) return true;
  return Object.entries(wanted).every(
    ([key, value]) =>
      isTemplated(key) || isTemplated(value) || isTemplated(labels[key]) || labels[key] === value,
  );
}

export const releasesOf = (workspace: Workspace, chart: string): HelmRelease[] =>
  workspace.releases.filter((release) => release.chart === chart);

/** Variable of a container by name: its value, where it is said. */
export function environment(
  container: Container,
  name: string,
): { value: string | undefined; path: Path } | undefined {
  for (const [index, item] of list(container.value["env"]).entries()) {
    if (at(item, "name") !== name) continue;
    const value = at(item, "value");
    return { value: typeof value === "string" ? value : undefined, path: [...container.path, "env", index] };
  }
  return undefined;
}

/** The variables of these names that a container sets. */
export const variablesIn = (
  container: Container,
  names: readonly string[],
): { name: string; value: string | undefined; path: Path }[] =>
  names.flatMap((name) => {
    const found = environment(container, name);
    return found === undefined ? [] : [{ name, ...found }];
  });

/** Command and arguments as one list of words. */
export const wordsOf = (container: Container): string[] =>
  [...list(container.value["command"]), ...list(container.value["args"])].map(String);
