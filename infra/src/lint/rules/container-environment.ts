import type { Manifest, Workspace } from "../workspace.ts";
import {
  at,
  fields,
  known,
  list,
  mayBeSameNamespace,
  objectsOf,
  type Container,
} from "./kubernetes-objects.ts";

/**
 * Whether a container may have a variable: it sets it itself, or takes it from a map or secret as a whole. What such a source
 * holds is looked up; where it is not among the files, it may hold anything.
 */
export function mayHaveVariable(
  workspace: Workspace,
  { manifest, container }: { manifest: Manifest; container: Container },
  name: string,
): boolean {
  if (list(container.value["env"]).some((item) => at(item, "name") === name)) return true;
  return list(container.value["envFrom"]).some((source) => {
    const prefix = at(source, "prefix");
    if (prefix !== undefined && prefix !== "") return true;
    const keys = keysOf(workspace, manifest, source);
    return keys === undefined || keys.includes(name);
  });
}

function keysOf(workspace: Workspace, manifest: Manifest, source: unknown): string[] | undefined {
  const map = at(source, "configMapRef", "name");
  const secret = at(source, "secretRef", "name");
  const wanted = map ?? secret;
  if (!known(wanted)) return undefined;
  const candidates =
    map === undefined ? objectsOf(workspace, "Secret", "ExternalSecret") : objectsOf(workspace, "ConfigMap");
  const found = candidates.find(
    (one) =>
      (secretName(one) === wanted || one.name === wanted) &&
      mayBeSameNamespace(one.namespace, manifest.namespace),
  );
  return found === undefined ? undefined : dataKeys(found);
}

/** The name of the secret that an ExternalSecret makes. */
export const secretName = ({ name, value, kind }: Manifest): string => {
  const target = kind === "ExternalSecret" ? at(value, "spec", "target", "name") : undefined;
  return known(target) ? target : name;
};

/** Keys of a map or secret; undefined where they are decided elsewhere. */
export function dataKeys({ value, kind }: Manifest): string[] | undefined {
  if (kind !== "ExternalSecret")
    return ["data", "stringData", "binaryData"].flatMap((section) => Object.keys(fields(value[section])));
  if (at(value, "spec", "dataFrom") !== undefined) return undefined;
  const template = at(value, "spec", "target", "template");
  if (at(template, "templateFrom") !== undefined) return undefined;
  const written = Object.keys(fields(at(template, "data")));
  const fetched = list(at(value, "spec", "data")).map((item) => String(at(item, "secretKey")));
  const merged = at(template, "mergePolicy") === "Merge";
  return written.length > 0 && !merged ? written : [...written, ...fetched];
}
