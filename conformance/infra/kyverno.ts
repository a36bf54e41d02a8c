// Kyverno's policies, run by its own command over objects as they would reach the API server.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubernetesObject } from "./api-server.ts";
import { carefulPod, forbiddenBy } from "./pods.ts";
import { ensurePrograms } from "./tools.ts";

export interface Refusal {
  readonly policy: string;
  /** As in `Pod tracking/plinth`. */
  readonly resource: string;
}

export interface Verdict {
  readonly refused: readonly Refusal[];
  readonly errors: number;
  readonly output: string;
}

const isPolicy = ({ apiVersion, kind }: KubernetesObject): boolean =>
  /(^|\.)kyverno\.io\//.test(apiVersion) && kind.endsWith("Policy");
const isException = ({ kind }: KubernetesObject): boolean => kind === "PolicyException";

/** Kinds that policies speak of, and those from whose templates Kyverno derives what it says of pods. */
const judgedKinds = new Set(
  "Namespace Pod Service Secret InferenceService Deployment StatefulSet DaemonSet Job CronJob".split(" "),
);
export const isJudged = ({ kind }: KubernetesObject): boolean => judgedKinds.has(kind);

export const policyNames = (objects: readonly KubernetesObject[]): string[] =>
  objects.filter(isPolicy).map(({ metadata }) => metadata.name);

/** Runs the policies, with their exceptions, among `objects` over `resources`; namespaces have the labels they have there. */
export async function judge(
  objects: readonly KubernetesObject[],
  resources: readonly KubernetesObject[],
): Promise<Verdict> {
  const program = join(await ensurePrograms("kyverno"), "kubectl-kyverno");
  const folder = mkdtempSync(join(tmpdir(), "plinth-kyverno-"));
  try {
    // The command reads a file that holds policies and exceptions together as empty.
    const write = (name: string, some: readonly object[]): string => {
      mkdirSync(join(folder, name));
      for (const [index, one] of some.entries())
        writeFileSync(join(folder, name, `${index}.yaml`), JSON.stringify(one));
      return join(folder, name);
    };
    const namespaceSelector = [...objects, ...resources]
      .filter(({ kind }) => kind === "Namespace")
      .map(({ metadata: { name, labels } }) => ({
        name,
        labels: { ...labels, "kubernetes.io/metadata.name": name },
      }));
    const values = join(folder, "values.yaml");
    writeFileSync(
      values,
      JSON.stringify({
        apiVersion: "cli.kyverno.io/v1alpha1",
        kind: "Values",
        metadata: { name: "values" },
        namespaceSelector,
      }),
    );
    const exceptions = objects.filter(isException);
    const exceptionsFile = join(folder, "exceptions.yaml");
    writeFileSync(exceptionsFile, exceptions.map((one) => JSON.stringify(one)).join("\n---\n"));
    const done = spawnSync(
      program,
      [
        "apply",
        write("policies", objects.filter(isPolicy)),
        `--resource=${write("resources", resources)}`,
        ...(exceptions.length === 0 ? [] : [`--exceptions=${exceptionsFile}`]),
        `--values-file=${values}`,
        "--continue-on-fail",
        "--remove-color",
      ],
      { encoding: "utf8", env: { PATH: process.env["PATH"] ?? "", HOME: folder }, maxBuffer: 64 << 20 },
    );
    const output = `${done.stdout}${done.stderr}`;
    const errors = /pass: \d+, fail: \d+, warn: \d+, error: (\d+)/.exec(output)?.[1];
    if (errors === undefined) throw new Error(`kyverno apply ended with ${done.status}:\n${output}`);
    const failed = [...output.matchAll(/^policy (\S+) -> resource (\S*)\/([^/\s]+)\/(\S+) failed/gm)];
    return {
      refused: failed.map(([, policy = "", namespace, kind, name]) => ({
        policy,
        resource: `${kind} ${namespace}/${name}`,
      })),
      errors: Number(errors),
      output,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Objects that careful policies refuse, in a namespace that the output has. */
export function forbiddenObjects(
  namespace: string,
  labels: Readonly<Record<string, string>>,
): KubernetesObject[] {
  const pod = (name: string, spec: object): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels },
    spec,
  });
  const main = carefulPod.containers[0];
  const withContainer = (changes: object): object => ({
    ...carefulPod,
    containers: [{ ...main, ...changes }],
  });
  return [
    ...Object.values(forbiddenBy("restricted")).map((spec, index) => pod(`forbidden-${index}`, spec)),
    pod("newest-image", withContainer({ image: "registry.example.com/main:latest" })),
    pod("untagged-image", withContainer({ image: "registry.example.com:5000/main" })),
    pod("no-resources", withContainer({ resources: {} })),
    pod("no-memory-limit", withContainer({ resources: { requests: { cpu: "1", memory: "1Gi" } } })),
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "of-nobody" } },
  ];
}
