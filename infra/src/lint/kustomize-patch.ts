import { isRecord } from "./plain-values.ts";

/** The three ways in which kustomize changes an object. Nothing that was given is changed. */

/** Lists of Kubernetes' own kinds that are merged, and the field that tells their items apart. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ["name"],
  initContainers: ["name"],
  ephemeralContainers: ["name"],
  volumes: ["name"],
  env: ["name"],
  volumeMounts: ["mountPath"],
  volumeDevices: ["devicePath"],
  imagePullSecrets: ["name"],
  secrets: ["name"],
  hostAliases: ["ip"],
  topologySpreadConstraints: ["topologyKey", "whenUnsatisfiable"],
};

/** A port is of a container or of a Service. */
const portKeys = (items: readonly unknown[]): readonly string[] =>
  items.some((item) => isRecord(item) && "containerPort" in item)
    ? ["containerPort", "protocol"]
    : ["port", "protocol"];

/** https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md */
export function strategicPatch(value: unknown, patch: unknown, field = ""): unknown {
  if (Array.isArray(patch)) {
    const keys = field === "ports" ? portKeys(patch) : KEYS[field];
    return keys === undefined || !Array.isArray(value)
      ? withoutDirectives(patch)
      : mergeList(value, patch, keys);
  }
  if (!isRecord(patch)) return patch;
  if (patch["$patch"] === "replace") return withoutDirectives(patch);
  const merged: Record<string, unknown> = isRecord(value) ? { ...value } : {};
  for (const [key, change] of Object.entries(patch)) {
    if (key.startsWith("$")) continue;
    if (change === null || (isRecord(change) && change["$patch"] === "delete")) delete merged[key];
    else merged[key] = strategicPatch(merged[key], change, key);
  }
  return merged;
}

function mergeList(list: readonly unknown[], patch: readonly unknown[], keys: readonly string[]): unknown[] {
  const isSame = (a: unknown, b: unknown): boolean =>
    isRecord(a) &&
    isRecord(b) &&
    keys.every((key) => (a[key] ?? defaultOf(key)) === (b[key] ?? defaultOf(key)));
  const merged = [...list];
  for (const item of patch) {
    const at = merged.findIndex((one) => isSame(one, item));
    if (isRecord(item) && item["$patch"] === "delete") {
      if (at >= 0) merged.splice(at, 1);
    } else if (at >= 0) merged[at] = strategicPatch(merged[at], item);
    else merged.push(withoutDirectives(item));
  }
  return merged;
}

const defaultOf = (key: string): unknown => (key === "protocol" ? "TCP" : undefined);

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "$patch" && key !== "$retainKeys")
      .map(([key, below]) => [key, withoutDirectives(below)]),
  );
}

/** RFC 7396, which custom resources are patched by: lists are replaced. */
export function mergePatch(value: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const merged: Record<string, unknown> = isRecord(value) ? { ...value } : {};
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], change);
  }
  return merged;
}

export type Operation = { op?: unknown; path?: unknown; value?: unknown; from?: unknown };

/** RFC 6902: add, replace and remove. What cannot be done is left out: kustomize itself refuses it. */
export function jsonPatch(
  value: Record<string, unknown>,
  operations: readonly Operation[],
): Record<string, unknown> {
  const copy = structuredClone(value);
  for (const { op, path, value: given } of operations) {
    if (typeof path !== "string" || !path.startsWith("/")) continue;
    const steps = path
      .slice(1)
      .split("/")
      .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = steps.pop() ?? "";
    const parent = steps.reduce<unknown>(
      (node, step) => (node as Record<string, unknown> | undefined)?.[step],
      copy,
    );
    if (Array.isArray(parent)) {
      const at = last === "-" ? parent.length : Number(last);
      if (op === "add") parent.splice(at, 0, given);
      else if (op === "replace") parent[at] = given;
      else if (op === "remove") parent.splice(at, 1);
    } else if (isRecord(parent)) {
      if (op === "remove") delete parent[last];
      else if (op === "add" || op === "replace") parent[last] = given;
    }
  }
  return copy;
}
