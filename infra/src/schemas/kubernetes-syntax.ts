import type { Path } from "../lint/workspace.ts";
import { isTemplated } from "./templated.ts";

/** What the API server checks beyond the structure: names, labels, quantities, selectors, what belongs together within a pod. */

type Found = {
  path: Path;
  message: string;
  /** Something is not there: in a part of a file, it may stand elsewhere. */
  missing?: true;
};
type Fields = Readonly<Record<string, unknown>>;

const DNS_LABEL = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/;
const DNS_1035_LABEL = /^[a-z](?:[a-z\d-]{0,61}[a-z\d])?$/;
const DNS_SUBDOMAIN = /^(?=.{1,253}$)[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*$/;
const LABEL_NAME = /^(?=.{1,63}$)[A-Za-z\d](?:[\w.-]*[A-Za-z\d])?$/;
const LABEL_VALUE = /^(?:(?=.{1,63}$)[A-Za-z\d](?:[\w.-]*[A-Za-z\d])?)?$/;
const DATA_KEY = /^[-._A-Za-z\d]{1,253}$/;
/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const QUANTITY =
  /^(?<sign>[+-]?)(?<number>\d+(?:\.\d*)?|\.\d+)(?<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+|)$/;

const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a quantity such as `500m` or `2Gi` stands for; undefined when it is none. */
export function quantityOf(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  const parts = typeof value === "string" ? QUANTITY.exec(value)?.groups : undefined;
  if (parts === undefined) return undefined;
  const suffix = parts["suffix"] ?? "";
  const factor = FACTORS[suffix] ?? 10 ** Number(suffix.slice(1));
  return Number(`${parts["sign"] ?? ""}${parts["number"] ?? ""}`) * factor;
}

export function checkKubernetesSyntax(object: Fields, group: string): Found[] {
  const kind = String(object["kind"]);
  const found: Found[] = [];
  checkMetadata(object, group, found);
  const spec = fields(object["spec"]);
  if (spec === undefined && NEEDS_SPEC.has(kind) && !isTemplated(object["spec"]))
    found.push({ path: [], message: "spec is required", missing: true });
  if (kind === "ConfigMap" || kind === "Secret") checkDataKeys(object, found);
  const template = podTemplate(object);
  if (template !== undefined) {
    checkLabels(template.value, template.path, found);
    checkPodTemplate(template, found);
  }
  if (spec !== undefined) {
    checkSelector(spec, template, found);
    checkRestartPolicy(kind, template, found);
  }
  // Policies of Kyverno have patterns where others have quantities.
  if (!group.endsWith("kyverno.io")) checkQuantities(object, [], found);
  return found;
}

const NEEDS_SPEC = new Set([
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "Job",
  "CronJob",
  "Pod",
  "HorizontalPodAutoscaler",
  "PersistentVolumeClaim",
]);

function checkMetadata(object: Fields, group: string, found: Found[]): void {
  const metadata = fields(object["metadata"]);
  if (metadata === undefined) return;
  const { name, namespace } = metadata;
  if (name === undefined && metadata["generateName"] === undefined)
    found.push({ path: ["metadata"], message: "metadata.name is required", missing: true });
  const rule = nameRule(String(object["kind"]), group);
  if (typeof name === "string" && !isTemplated(name) && !rule.pattern.test(name))
    found.push({ path: ["metadata", "name"], message: `metadata.name "${name}" must be ${rule.text}` });
  if (typeof namespace === "string" && !isTemplated(namespace) && !DNS_LABEL.test(namespace))
    found.push({
      path: ["metadata", "namespace"],
      message: `metadata.namespace "${namespace}" must be ${LABEL_RULE.text}`,
    });
  checkLabels(object, [], found);
  for (const key of Object.keys(fields(metadata["annotations"]) ?? {}))
    if (!isTemplated(key) && !isQualifiedName(key, true))
      found.push({
        path: ["metadata", "annotations", key],
        message: `"${key}" is no annotation key: it must be a name, or a domain, a slash and a name`,
      });
}

const LABEL_RULE = {
  pattern: DNS_LABEL,
  text: "at most 63 lower-case letters, digits and hyphens, a letter or digit at both ends",
};

function nameRule(kind: string, group: string): { pattern: RegExp; text: string } {
  if (group === "rbac.authorization.k8s.io")
    return { pattern: /^(?!\.\.?$)[^/%]+$/, text: "without / and %" };
  if (kind === "Namespace") return LABEL_RULE;
  if (kind === "Service" && (group === "" || group === "serving.knative.dev"))
    return {
      pattern: DNS_1035_LABEL,
      text: "at most 63 lower-case letters, digits and hyphens that begin with a letter",
    };
  return {
    pattern: DNS_SUBDOMAIN,
    text: "lower-case letters, digits, hyphens and dots, a letter or digit at both ends",
  };
}

function isQualifiedName(key: string, anyCase: boolean): boolean {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  if (prefix !== undefined && !DNS_SUBDOMAIN.test(anyCase ? prefix.toLowerCase() : prefix)) return false;
  return LABEL_NAME.test(key.slice(slash + 1));
}

function checkLabels(object: Fields, at: Path, found: Found[]): void {
  const labels = fields(fields(object["metadata"])?.["labels"]) ?? {};
  for (const [key, value] of Object.entries(labels)) {
    const path = [...at, "metadata", "labels", key];
    if (!isTemplated(key) && !isQualifiedName(key, false))
      found.push({
        path,
        message: `"${key}" is no label key: it must be a name of at most 63 characters, or a domain, a slash and such a name`,
      });
    if (typeof value === "string" && !isTemplated(value) && !LABEL_VALUE.test(value))
      found.push({
        path,
        message: `the value "${value}" of label ${key} must be at most 63 letters, digits, -, _ and ., a letter or digit at both ends`,
      });
  }
}

function checkDataKeys(object: Fields, found: Found[]): void {
  for (const section of ["data", "stringData", "binaryData"])
    for (const key of Object.keys(fields(object[section]) ?? {}))
      if (!isTemplated(key) && !DATA_KEY.test(key))
        found.push({
          path: [section, key],
          message: `the key "${key}" may hold letters, digits, -, _ and . only`,
        });
}

export type PodTemplate = {
  value: Fields;
  path: Path;
  spec: Fields;
  /** Names of the claims of a StatefulSet: its containers mount them like volumes. */
  claims: ReadonlySet<unknown>;
};

/** The pod template of a workload, a pod itself included. */
export function podTemplate(object: Fields): PodTemplate | undefined {
  const apiVersion = String(object["apiVersion"]);
  const kind = String(object["kind"]);
  if (!["v1", "apps/v1", "batch/v1"].includes(apiVersion)) return undefined;
  const path =
    kind === "Pod"
      ? []
      : kind === "CronJob"
        ? ["spec", "jobTemplate", "spec", "template"]
        : ["spec", "template"];
  let value: Fields | undefined = object;
  for (const step of path) value = fields(value?.[step]);
  const spec = fields(value?.["spec"]);
  if (value === undefined || spec === undefined || !Array.isArray(spec["containers"])) return undefined;
  const claims = list(fields(object["spec"])?.["volumeClaimTemplates"]);
  return {
    value,
    path,
    spec,
    claims: new Set(claims.map((claim) => fields(fields(claim)?.["metadata"])?.["name"])),
  };
}

/** Containers of a pod template, init containers first, with their paths. */
export function containersOf({ spec, path }: PodTemplate): { value: Fields; path: Path; init: boolean }[] {
  return ["initContainers", "containers"].flatMap((list) =>
    (Array.isArray(spec[list]) ? (spec[list] as unknown[]) : []).flatMap((item, at) => {
      const value = fields(item);
      return value === undefined
        ? []
        : [{ value, path: [...path, "spec", list, at], init: list === "initContainers" }];
    }),
  );
}

function checkPodTemplate(template: PodTemplate, found: Found[]): void {
  const volumes = Array.isArray(template.spec["volumes"]) ? template.spec["volumes"] : [];
  const names = new Set(volumes.map((volume) => fields(volume)?.["name"]));
  const uncertain = isTemplated(template.spec["volumes"]) || [...names].some(isTemplated);
  for (const { value, path } of containersOf(template)) {
    const { name } = value;
    if (typeof name === "string" && !isTemplated(name) && !DNS_LABEL.test(name))
      found.push({
        path: [...path, "name"],
        message: `the container name "${name}" must be ${LABEL_RULE.text}`,
      });
    for (const [at, mount] of list(value["volumeMounts"]).entries()) {
      const volume = fields(mount)?.["name"];
      if (
        typeof volume !== "string" ||
        isTemplated(volume) ||
        uncertain ||
        names.has(volume) ||
        template.claims.has(volume)
      )
        continue;
      found.push({
        path: [...path, "volumeMounts", at, "name"],
        message: `the pod has no volume "${volume}" to mount`,
      });
    }
    checkRequests(fields(value["resources"]), [...path, "resources"], found);
  }
}

function checkRequests(resources: Fields | undefined, path: Path, found: Found[]): void {
  const limits = fields(resources?.["limits"]) ?? {};
  for (const [name, request] of Object.entries(fields(resources?.["requests"]) ?? {})) {
    const [asked, most] = [quantityOf(request), quantityOf(limits[name])];
    if (asked !== undefined && most !== undefined && asked > most)
      found.push({
        path: [...path, "requests", name],
        message: `the request of ${name} (${String(request)}) is above its limit (${String(limits[name])})`,
      });
  }
}

function checkSelector(spec: Fields, template: PodTemplate | undefined, found: Found[]): void {
  if (template === undefined || template.path.length === 0) return;
  const wanted = fields(fields(spec["selector"])?.["matchLabels"]);
  if (wanted === undefined) return;
  const labels = fields(fields(template.value["metadata"])?.["labels"]) ?? {};
  for (const [key, value] of Object.entries(wanted)) {
    if (isTemplated(key) || isTemplated(value) || isTemplated(labels[key]) || labels[key] === value) continue;
    if (Object.keys(labels).some(isTemplated)) continue;
    found.push({
      path: ["spec", "selector", "matchLabels", key],
      message: `the selector wants ${key}=${String(value)}, but the pod template does not have this label`,
    });
  }
}

function checkRestartPolicy(kind: string, template: PodTemplate | undefined, found: Found[]): void {
  if (template === undefined) return;
  const policy = template.spec["restartPolicy"];
  if (isTemplated(policy)) return;
  const path = [...template.path, "spec", "restartPolicy"];
  if ((kind === "Job" || kind === "CronJob") && policy !== "Never" && policy !== "OnFailure")
    found.push({ path, message: "restartPolicy of a job must be Never or OnFailure" });
  if (
    ["Deployment", "StatefulSet", "DaemonSet"].includes(kind) &&
    policy !== undefined &&
    policy !== "Always"
  )
    found.push({ path, message: `restartPolicy of a ${kind} must be Always` });
}

/** Maps whose values are quantities, by the key that holds them. */
const QUANTITY_MAPS = new Set(["requests", "limits"]);

function checkQuantities(value: unknown, path: Path, found: Found[]): void {
  if (Array.isArray(value))
    for (const [at, item] of value.entries()) checkQuantities(item, [...path, at], found);
  const map = fields(value);
  if (map === undefined) return;
  const last = path.at(-1);
  const parent = path.at(-2);
  const quantities =
    typeof last === "string" &&
    ((QUANTITY_MAPS.has(last) && parent === "resources") || (last === "hard" && parent === "spec"));
  for (const [key, item] of Object.entries(map)) {
    if (
      quantities &&
      (typeof item === "string" || typeof item === "number") &&
      !isTemplated(item) &&
      quantityOf(item) === undefined
    )
      found.push({ path: [...path, key], message: `"${item}" is no quantity: write 500m, 2, 512Mi or 10Gi` });
    else checkQuantities(item, [...path, key], found);
  }
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const fields = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isTemplated(value)
    ? (value as Fields)
    : undefined;
