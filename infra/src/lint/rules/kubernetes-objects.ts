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

const patches = new WeakMap<Workspace, ReadonlySet<string>>();

/** Files that kustomizations name as patches: parts of objects, laid over others. */
export function isPatch(workspace: Workspace, { file, value }: Manifest): boolean {
  let files = patches.get(workspace);
  if (files === undefined) patches.set(workspace, (files = patchFiles(workspace)));
  return files.has(posix.normalize(file)) || "$patch" in value;
}

function patchFiles(workspace: Workspace): ReadonlySet<string> {
  return new Set(
    workspace.kustomizations.flatMap(({ folder, value }) => {
      const named = [
        ...list(value["patchesStrategicMerge"]),
        ...[...list(value["patches"]), ...list(value["patchesJson6902"])].map((patch) => at(patch, "path")),
      ];
      return named.filter((path) => typeof path === "string").map((path) => posix.join(folder, path));
    }),
  );
}

/** Rules ask for the same objects again and again, once for every reference. */
const byKinds = new WeakMap<Workspace, Map<string, Manifest[]>>();

/** Whole objects of a kind, whatever their version: `HTTPRoute`, or `Cluster postgresql.cnpg.io` where several groups have it. */
export function objectsOf(workspace: Workspace, ...kinds: readonly string[]): readonly Manifest[] {
  let known = byKinds.get(workspace);
  if (known === undefined) byKinds.set(workspace, (known = new Map()));
  const key = kinds.join();
  let found = known.get(key);
  if (found === undefined) {
    found = workspace.manifests.filter(
      (manifest) => isOfKind(manifest, kinds) && !isPatch(workspace, manifest),
    );
    known.set(key, found);
  }
  return found;
}

const isOfKind = ({ kind, apiVersion }: Manifest, kinds: readonly string[]): boolean =>
  kinds.includes(kind) || kinds.includes(`${kind} ${splitApiVersion(apiVersion).group}`);

export type Container = { value: Fields; path: Path; init: boolean };
export type Workload = { manifest: Manifest; template: PodTemplate; containers: readonly Container[] };

const workloads = new WeakMap<Workspace, Workload[]>();

/** Everything that makes pods, with the containers in it. */
export function workloadsOf(workspace: Workspace): readonly Workload[] {
  let found = workloads.get(workspace);
  if (found === undefined) {
    found = workspace.manifests.flatMap((manifest) => {
      const template = isPatch(workspace, manifest) ? undefined : podTemplate(manifest.value);
      return template === undefined ? [] : [{ manifest, template, containers: containersOf(template) }];
    });
    workloads.set(workspace, found);
  }
  return found;
}

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

export const isWhole = (manifest: Manifest): boolean => manifest.origin === "file" && !manifest.templated;

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
