// The Kubernetes manifests of whole outputs, before a real API server: strict, in the order of their waves, twice.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ApiServer, type KubernetesObject } from "./api-server.ts";
import { buildAll, readApplications, type Application } from "./applications.ts";
import { complaintsOf } from "./clients.ts";
import { openKindNames } from "./crds.ts";
import { forbiddenObjects, isJudged, judge, policyNames, type Refusal } from "./kyverno.ts";
import { healthBy } from "./lua.ts";
import { Network, policiesIn, type Pod } from "./network.ts";
import { kindsIn, readOutputs, type Output } from "./outputs.ts";
import { carefulPod, forbiddenBy, podsIn } from "./pods.ts";
import { containersOf, remarksOn, snippetsIn } from "./shell.ts";
import { ensureMake } from "./tools.ts";

const enforced = "pod-security.kubernetes.io/enforce";
/** Of no program; webhooks and proxies of the API server, which no label names, are open to all at theirs. */
const anyPort = 12_345;
const outputs = readOutputs();
let server: ApiServer;
const kindsTried = new Set<string>();
let flowsSeen = 0;
const mlflowCommands: (readonly string[])[] = [];

beforeAll(async () => {
  ensureMake();
  server = await ApiServer.start(kindsIn(outputs));
});
afterAll(() => server?.stop());

describe.each(outputs)("$name", (output: Output) => {
  let built: ReadonlyMap<string, string> = new Map();
  let failed: readonly string[] = [];
  let applications: Application[] = [];
  // The next output begins with an empty cluster.
  afterAll(() => server.clear(objects()));
  const objects = (): KubernetesObject[] => applications.flatMap((application) => application.objects);

  test("every kustomization builds", () => {
    ({ built, failed } = buildAll(server, output));
    expect(failed).toEqual([]);
  });

  test("every Application finds its folder", () => {
    applications = readApplications(server, output, built);
    const missing = applications.flatMap((one) => one.missing.map((path) => `${one.name}: ${path}`));
    expect(missing).toEqual([]);
    expect(objects().length).toBeGreaterThan(10);
  });

  test("is applied in the order of its sync waves", () => {
    const refused: string[] = [];
    for (const application of applications) {
      refused.push(...applyOne(application));
    }
    expect(refused).toEqual([]);
    expect(objects().length).toBeGreaterThan(10);
  });

  test("a second apply changes nothing", () => {
    const before = server.read(objects());
    for (const application of applications) applyOne(application);
    const after = server.read(objects());
    expect(after.length).toBe(objects().length);
    expect(versions(after)).toEqual(versions(before));
  });

  test("a field that a kind does not have is an error", () => {
    const fresh = objects().filter(
      ({ kind, ...object }) => typeof object["spec"] === "object" && !openKindNames.has(kind),
    );
    const byKind = new Map(fresh.map((object) => [`${object.apiVersion} ${object.kind}`, object]));
    // Once for each kind is enough.
    const untried = [...byKind].filter(([name]) => !kindsTried.has(name));
    const taken = untried.filter(([name, object]) => {
      kindsTried.add(name);
      const answer = server.apply([{ ...object, spec: { ...(object["spec"] as object), nonsense: "x" } }]);
      return !/unknown field|field not declared in schema/.test(answer.stderr);
    });
    expect(taken.map(([name]) => name)).toEqual([]);
    expect(kindsTried.size).toBeGreaterThan(5);
  });

  test("the pods of its workloads are let in", async () => {
    const pods = podsIn(objects()).map(({ object }) => object);
    const namespaces = new Set(pods.map(({ metadata }) => metadata.namespace ?? ""));
    for (const namespace of namespaces) await server.waitForNamespace(namespace);
    const { stdout, stderr } = server.tryCreate(pods);
    // A warning is what the namespace's profile for new pods would refuse.
    expect(stderr).toBe("");
    expect(stdout.trim().split("\n")).toEqual(
      pods.map(({ metadata }) => `pod/${metadata.name} created (server dry run)`),
    );
  });

  test("its namespaces refuse what their profile forbids", async () => {
    const namespaces = objects().filter(({ kind }) => kind === "Namespace");
    expect(namespaces.length).toBeGreaterThan(3);
    // Namespaces with the same profile are the same to the API server: one of each.
    const byProfile = new Map(
      namespaces.map((namespace) => [namespace.metadata.labels?.[enforced], namespace]),
    );
    expect([...byProfile.keys()]).toContain("restricted");
    for (const [profile, { metadata }] of byProfile) {
      const namespace = metadata.name;
      await server.waitForNamespace(namespace);
      const forbidden = Object.values(forbiddenBy(profile));
      const pods = [carefulPod, ...forbidden].map((spec, index) => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: `try-${index}`, namespace },
        spec,
      }));
      const { stdout, stderr } = server.tryCreate(pods);
      expect(stdout.trim().split("\n")).toEqual(["pod/try-0 created (server dry run)"]);
      const refused = [...stderr.matchAll(/pods "try-(\d+)" is forbidden: violates PodSecurity/g)];
      expect(refused.map(([, index]) => Number(index))).toEqual(forbidden.map((_, index) => index + 1));
    }
  });

  test("no workload may do more at the API server than its roles say", () => {
    const accounts = objects().filter(({ kind }) => kind === "ServiceAccount");
    const granted = accounts.flatMap(({ metadata: { name, namespace = "" } }) => {
      const roles = rolesOf(objects(), { name, namespace });
      const list = ["auth", "can-i", "--list", "--no-headers", "--namespace", namespace];
      const { stdout } = server.kubectl([...list, `--as=system:serviceaccount:${namespace}:${name}`]);
      expect(stdout).toContain("selfsubjectreviews.authentication.k8s.io");
      const resources = stdout.split("\n").map((line) => /^[a-z*][\w.*/-]*/.exec(line)?.[0]);
      return resources
        .filter((resource) => resource !== undefined && !resource.startsWith("selfsubject"))
        .filter((resource) => !roles.has(resource ?? ""))
        .map((resource) => `${namespace}/${name} may touch ${resource}`);
    });
    expect(granted).toEqual([]);
  });

  test("its network lets nobody in or out who is not named", () => {
    const network = new Network(objects());
    const stranger = { namespace: "default", labels: { app: "stranger" } };
    const nameserver = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };
    const wrong: string[] = [];
    for (const { metadata } of objects().filter(({ kind }) => kind === "Namespace")) {
      const inside = { namespace: metadata.name, labels: { app: "stranger" } };
      if (network.allows(inside, stranger, anyPort)) wrong.push(`out of ${metadata.name}`);
      if (network.allows(stranger, inside, anyPort)) wrong.push(`into ${metadata.name}`);
      if (!network.allows(inside, nameserver, 53)) wrong.push(`no names in ${metadata.name}`);
    }
    for (const pod of podsIn(objects())) {
      const ports = pod.spec.containers.flatMap((one) => (one.ports ?? []).map((port) => port.containerPort));
      for (const port of [...ports, anyPort])
        if (network.allows(stranger, pod, port)) wrong.push(`${pod.workload} is open at ${port}`);
    }
    expect(wrong).toEqual([]);
  });

  test("Kyverno's policies let its own objects in, and each refuses something", async () => {
    const names = policyNames(objects());
    expect(names.length).toBeGreaterThan(0);
    const home = objects().find(({ kind, metadata }) => kind === "Namespace" && metadata.labels?.[enforced]);
    const forbidden = forbiddenObjects(home?.metadata.name ?? "", home?.metadata.labels ?? {});
    const pods = podsIn(objects()).map(({ object }) => object);
    const verdict = await judge(objects(), [...objects().filter(isJudged), ...pods, ...forbidden]);
    expect(verdict.errors, verdict.output).toBe(0);
    const isForbidden = ({ resource }: Refusal): boolean =>
      forbidden.some(
        ({ kind, metadata: { namespace, name } }) => resource === `${kind} ${namespace ?? ""}/${name}`,
      );
    expect(
      verdict.refused.filter((one) => !isForbidden(one)),
      verdict.output,
    ).toEqual([]);
    const biting = new Set(verdict.refused.map(({ policy }) => policy));
    expect(
      names.filter((name) => !biting.has(name)),
      verdict.output,
    ).toEqual([]);
  });

  test("what its containers run is shell", async () => {
    for (const { command = [], args = [] } of containersOf(objects()))
      if (command[0] === "mlflow") mlflowCommands.push([...command, ...args].slice(1));
    expect(await remarksOn(snippetsIn(objects()))).toEqual([]);
  });

  test("its Makefile hands it to Argo CD, and shows how that stands", () => {
    const make = (target: string): string => {
      const args = ["--no-print-directory", target, "KUBE_CONTEXT=test"];
      // A pipe of Node's is a socket, and by a socket on its input bash takes itself for a remote shell.
      const done = spawnSync("make", args, {
        cwd: output.folder,
        env: server.env,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      expect(`${target}: ${done.stderr}`).toBe(`${target}: `);
      expect(done.status).toBe(0);
      return done.stdout;
    };
    expect(make("gitops-deploy-mlops-stack")).toContain("application.argoproj.io/mlops-stack");
    const part = applications.find(({ name }) => ["plinth", "mlflow"].includes(name))?.name ?? "";
    expect(make(`gitops-deploy-${part}`)).toContain(`application.argoproj.io/${part}`);
    const states = make("gitops-status");
    expect(states).toMatch(/^NAME +WAVE +SYNC +HEALTH$/m);
    expect(states).toMatch(new RegExp(`^${part} +-?\\d+ `, "m"));
  });

  test("Argo CD's health checks say how an object is", async () => {
    const values = readFileSync(join(output.folder, "k8s-manifests", "argocd", "values.yaml"), "utf8");
    const scripts = healthChecksIn(values);
    const application = scripts.get("argoproj.io_Application") ?? "";
    const health = (status: string, message?: string): object => ({
      status: { health: { status, message } },
    });
    expect(await healthBy(application, {})).toEqual({ status: "Progressing", message: "" });
    expect(await healthBy(application, health("Healthy"))).toEqual({ status: "Healthy", message: "" });
    const bad = await healthBy(application, health("Degraded", "no pod is ready"));
    expect(bad).toEqual({ status: "Degraded", message: "no pod is ready" });
    const states = ["Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"];
    const conditions = ["True", "False", "Unknown"].map((status) => [
      { type: "Ready", status, message: "why" },
    ]);
    for (const [kind, script] of scripts) {
      for (const object of [
        {},
        { status: {} },
        ...conditions.map((some) => ({ status: { conditions: some } })),
      ])
        expect(states, kind).toContain(
          (await healthBy(script, { metadata: {}, spec: {}, ...object })).status,
        );
    }
  });

  test("what a pod may reach accepts it", () => {
    const network = new Network(objects());
    const flows = flowsIn(objects());
    flowsSeen += flows.length;
    const closed = flows.filter(({ from, to, port }) => !network.allows(from, to, port));
    expect(closed).toEqual([]);
  });
});

test("ways through the network were tried", () => {
  expect(flowsSeen).toBeGreaterThan(0);
});

test("MLflow's own parser takes what its containers run", async () => {
  expect(await complaintsOf("mlflow", mlflowCommands)).toEqual([]);
});

function applyOne(application: Application): string[] {
  const { name, namespace, createsNamespace, namespaceLabels, objects } = application;
  const refused: string[] = [];
  const apply = (some: readonly KubernetesObject[]): void => {
    const answer = some.length === 0 ? { code: 0, stderr: "" } : server.apply(some);
    if (answer.code !== 0)
      refused.push(
        ...answer.stderr
          .trim()
          .split("\n")
          .map((line) => `${name}: ${line}`),
      );
  };
  if (createsNamespace && server.kubectl(["get", "namespace", namespace]).code !== 0) {
    apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: namespaceLabels } }]);
  }
  apply(objects);
  return refused;
}

/** What a change would show in. The server itself writes a claim once more at its second apply, with nothing changed in it. */
const versions = (objects: readonly KubernetesObject[]): object[] =>
  objects.map(({ kind, metadata, ...fields }) => {
    const { name, namespace, resourceVersion, generation } = metadata;
    const object = `${kind} ${namespace ?? ""}/${name}`;
    return kind === "PersistentVolumeClaim"
      ? { object, ...fields, labels: metadata.labels, annotations: metadata.annotations }
      : { object, resourceVersion, generation };
  });

type Account = { name: string; namespace: string };
type Binding = { roleRef: { kind: string; name: string }; subjects?: (Account & { kind: string })[] };
type Role = { rules?: { apiGroups?: string[]; resources?: string[] }[] };

/** Resources that the output's own roles give to this account, as `kubectl auth can-i --list` names them. */
function rolesOf(objects: readonly KubernetesObject[], account: Account): Set<string> {
  const bindings = objects.filter(({ kind }) => kind.endsWith("RoleBinding")) as (KubernetesObject &
    Binding)[];
  const bound = bindings.filter(({ subjects = [] }) =>
    subjects.some(({ name, namespace }) => name === account.name && namespace === account.namespace),
  );
  const names = new Set(bound.map(({ roleRef }) => `${roleRef.kind} ${roleRef.name}`));
  const roles = objects.filter(({ kind, metadata }) => names.has(`${kind} ${metadata.name}`));
  return new Set(
    (roles as (KubernetesObject & Role)[]).flatMap(({ rules = [] }) =>
      rules.flatMap(({ apiGroups = [""], resources = [] }) =>
        apiGroups.flatMap((group) => resources.map((name) => (group === "" ? name : `${name}.${group}`))),
      ),
    ),
  );
}

/** The scripts by group and kind, from the values that Argo CD is installed with. */
function healthChecksIn(values: string): Map<string, string> {
  const indented = values.replaceAll(/^(?=.)/gm, "  ");
  const [parsed] = server.parse(
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: values\nvalues:\n${indented}`,
  );
  const { configs } = (parsed?.["values"] ?? {}) as { configs?: { cm?: Record<string, string> } };
  const prefix = "resource.customizations.health.";
  const found = Object.entries(configs?.cm ?? {}).filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, script]) => [name.slice(prefix.length), script]));
}

type Flow = { policy: string; from: Pod; to: Pod; port: number | string };

/** Every way out that a policy opens to pods that it names, from a pod that has just the labels it selects. */
function flowsIn(objects: readonly KubernetesObject[]): Flow[] {
  return policiesIn(objects).flatMap(({ namespace, name, podSelector, egress }) =>
    egress.flatMap(({ to = [], ports = [] }) =>
      to.flatMap((peer) => {
        const labels = peer.podSelector?.matchLabels;
        const home = peer.namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"] ?? namespace;
        if (labels === undefined || podSelector.matchLabels === undefined) return [];
        const from = { namespace, labels: podSelector.matchLabels };
        const target = { namespace: home, labels };
        return ports.map(({ port = 0 }) => ({ policy: `${namespace}/${name}`, from, to: target, port }));
      }),
    ),
  );
}
