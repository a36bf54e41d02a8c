import { compareVersions } from "../../schemas/versions.ts";
import { isTemplated } from "../../schemas/templated.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Path, Workspace } from "../workspace.ts";
import { mayHaveVariable } from "./container-environment.ts";
import { backendsOf, type Backend } from "./exposure.ts";
import { filledIn, variablesNamed } from "./jinja-variables.ts";
import {
  at,
  environment,
  fields,
  labelsOf,
  list,
  mayBeSameNamespace,
  mayMatch,
  objectsOf,
  problemAt,
  wordsOf,
  workloadsOf,
  type Container,
  type Workload,
  perWorkspace,
} from "./kubernetes-objects.ts";

/** MLflow's own server: schema upgrades, artifacts, who may reach it. */

type Server = { workload: Workload; container: Container; words: readonly string[] };

const has = (workspace: Workspace, { workload, container }: Server, variable: string): boolean =>
  mayHaveVariable(workspace, { manifest: workload.manifest, container }, variable);

const IMAGE = /(?:^|\/)mlflow(?:-[\w-]+)?(?::|@|$)/;

const serversOf = perWorkspace((workspace: Workspace): Server[] => {
  return workloadsOf(workspace).flatMap((workload) => {
    const { kind } = workload.manifest;
    if (kind !== "Deployment" && kind !== "StatefulSet") return [];
    return workload.containers
      .filter(({ init, value }) => !init && IMAGE.test(String(value["image"])))
      .map((container) => ({ workload, container, words: wordsOf(container) }));
  });
});

/** Runs `mlflow db upgrade`, in whatever words. */
const upgradesDatabase = (workspace: Workspace): boolean =>
  workloadsOf(workspace).some(
    ({ manifest, containers }) =>
      (manifest.kind === "Job" || manifest.kind === "CronJob") &&
      containers.some((container) => /\bdb\b[\s"',]+upgrade\b/.test(wordsOf(container).join(" "))),
  );

function* concurrentUpgrades(workspace: Workspace): Iterable<Problem> {
  if (upgradesDatabase(workspace)) return;
  for (const { workload } of serversOf(workspace)) {
    const { manifest } = workload;
    const written = at(manifest.value, "spec", "replicas");
    const replicas = Number(typeof written === "string" ? filledIn(workspace, written) : written);
    const scaled = objectsOf(workspace, "HorizontalPodAutoscaler").some(
      ({ value, namespace }) =>
        at(value, "spec", "scaleTargetRef", "name") === manifest.name &&
        mayBeSameNamespace(namespace, manifest.namespace),
    );
    if (!(replicas > 1) && !scaled) continue;
    const many = replicas > 1 ? `${replicas} replicas` : "an autoscaled number of replicas";
    yield problemAt(manifest, {
      path: ["spec", "replicas"],
      message: `${many} of MLflow bring the database up to date at the same time: the lock for it is a file in each pod`,
    });
  }
}

const BUCKET = /^(?:s3|gs|wasbs|abfss):\/\//;

function* clientSideArtifacts(workspace: Workspace): Iterable<Problem> {
  for (const { workload, container, words } of serversOf(workspace)) {
    const flag = words.findIndex((word) => word.startsWith("--default-artifact-root"));
    const variable = environment(container, "MLFLOW_DEFAULT_ARTIFACT_ROOT");
    const written = flag < 0 ? variable?.value : (words[flag]?.split("=")[1] ?? words[flag + 1]);
    const expanded = written?.replaceAll(
      /\$\((\w+)\)/g,
      (reference, name: string) => environment(container, name)?.value ?? reference,
    );
    const root = filledIn(workspace, expanded) ?? "";
    if (!BUCKET.test(root)) continue;
    const command = list(container.value["command"]).length;
    const path: Path =
      flag < 0
        ? (variable?.path ?? container.path)
        : [...container.path, ...(flag < command ? ["command", flag] : ["args", flag - command])];
    yield problemAt(workload.manifest, {
      path,
      message: `the default artifact root ${root} makes every client write to the bucket itself, so every client needs its keys`,
    });
  }
}

/** Ways in that lead to the server, through the services that select it. */
function waysTo(workspace: Workspace, { workload }: Server): Backend[] {
  const { manifest, template } = workload;
  const services = objectsOf(workspace, "Service")
    .filter(({ namespace, value }) => {
      const wanted = fields(at(value, "spec", "selector"));
      return (
        Object.keys(wanted).length > 0 &&
        mayBeSameNamespace(namespace, manifest.namespace) &&
        mayMatch(wanted, labelsOf(template))
      );
    })
    .map(({ name }) => name);
  const names = new Set([...services, manifest.name]);
  return backendsOf(workspace).filter(
    ({ service, namespace }) => names.has(service) && mayBeSameNamespace(namespace, manifest.namespace),
  );
}

const PROXY = /oauth2-proxy|pomerium|authelia|vouch|keycloak-gatekeeper|gatekeeper-proxy/;

function hasAuthentication(workspace: Workspace, server: Server, ways: readonly Backend[]): boolean {
  const { container, workload, words } = server;
  if (
    words.some((word) => word.includes("basic-auth")) ||
    environment(container, "MLFLOW_AUTH_CONFIG_PATH") !== undefined
  )
    return true;
  if (workload.containers.some(({ value }) => PROXY.test(String(value["image"])))) return true;
  if (
    objectsOf(
      workspace,
      "SecurityPolicy",
      "GatewayExtension",
      "AuthorizationPolicy",
      "RequestAuthentication",
      "GCPBackendPolicy",
    ).length > 0
  )
    return true;
  if (
    workloadsOf(workspace).some(({ containers }) =>
      containers.some(({ value }) => PROXY.test(String(value["image"]))),
    )
  )
    return true;
  return ways.some(({ manifest }) =>
    Object.keys(fields(at(manifest.value, "metadata", "annotations"))).some(
      (key) => /auth|middlewares|whitelist|allowlist/i.test(key) || isTemplated(key),
    ),
  );
}

function* open(workspace: Workspace): Iterable<Problem> {
  const switches = variablesNamed(workspace, /^mlflow_ingress_enabled$/).filter(
    ({ value }) => value === true,
  );
  for (const server of serversOf(workspace)) {
    const ways = waysTo(workspace, server);
    if ((ways.length === 0 && switches.length === 0) || hasAuthentication(workspace, server, ways)) continue;
    const message =
      "MLflow has no authentication of its own switched on: whoever reaches this way in reads and deletes everything";
    for (const { manifest } of ways)
      yield problemAt(manifest, {
        path: ["metadata", "name"],
        message: `${manifest.kind} ${manifest.name}: ${message}`,
      });
    if (ways.length === 0)
      for (const { document, name } of switches) yield problemAt(document, { path: [name], message });
  }
}

const versionOf = (workspace: Workspace, container: Container): string | undefined =>
  /:v?(\d+\.\d+\.\d+)/.exec(filledIn(workspace, String(container.value["image"])) ?? "")?.[1];

function* hostCheck(workspace: Workspace): Iterable<Problem> {
  for (const server of serversOf(workspace)) {
    const { container, workload, words } = server;
    const version = versionOf(workspace, container);
    if (version === undefined || (compareVersions(version, "3.5.0") ?? -1) < 0) continue;
    const told =
      words.some((word) => word.includes("--allowed-hosts")) ||
      has(workspace, server, "MLFLOW_SERVER_ALLOWED_HOSTS");
    if (told) continue;
    const [way] = waysTo(workspace, server);
    if (way !== undefined)
      yield problemAt(workload.manifest, {
        path: container.path,
        message: `MLflow ${version} answers 403 to ${way.manifest.kind} ${way.manifest.name}: since 3.5 it refuses hosts that it was not told of`,
      });
  }
}

function* withoutTls(workspace: Workspace): Iterable<Problem> {
  for (const server of serversOf(workspace))
    for (const { manifest } of waysTo(workspace, server)) {
      if (manifest.kind !== "Ingress" || at(manifest.value, "spec", "tls") !== undefined) continue;
      yield problemAt(manifest, {
        path: ["spec"],
        message: `Ingress ${manifest.name} leads to MLflow without TLS: keys and data cross the network in clear`,
      });
    }
}

function* basicAuth(workspace: Workspace): Iterable<Problem> {
  for (const server of serversOf(workspace)) {
    const { container, workload, words } = server;
    if (!words.some((word) => word.includes("basic-auth"))) continue;
    const wanted = ["MLFLOW_FLASK_SERVER_SECRET_KEY", "MLFLOW_AUTH_CONFIG_PATH"];
    const lacks = wanted.filter((name) => !has(workspace, server, name));
    if (lacks.length === 0) continue;
    const message = `basic-auth without ${lacks.join(" and ")}: the defaults are the password of the documentation, SQLite in the pod, and no key for sessions`;
    yield problemAt(workload.manifest, { path: container.path, message });
  }
}

function* noMetrics(workspace: Workspace): Iterable<Problem> {
  const monitors = objectsOf(workspace, "PodMonitor", "ServiceMonitor");
  for (const server of serversOf(workspace)) {
    const { workload, words } = server;
    if (words.some((word) => word.includes("--expose-prometheus"))) continue;
    if (has(workspace, server, "MLFLOW_EXPOSE_PROMETHEUS")) continue;
    const labels = labelsOf(workload.template);
    const services = objectsOf(workspace, "Service").filter(({ value }) =>
      mayMatch(fields(at(value, "spec", "selector")), labels),
    );
    for (const monitor of monitors) {
      const wanted = fields(at(monitor.value, "spec", "selector", "matchLabels"));
      const targets =
        monitor.kind === "PodMonitor"
          ? [labels]
          : services.map(({ value }) => fields(at(value, "metadata", "labels")));
      if (
        Object.keys(wanted).length === 0 ||
        !mayBeSameNamespace(monitor.namespace, workload.manifest.namespace)
      )
        continue;
      if (targets.some((target) => mayMatch(wanted, target)))
        yield problemAt(monitor, {
          path: ["metadata", "name"],
          message: `${monitor.kind} ${monitor.name} scrapes MLflow, which has /metrics only with --expose-prometheus or MLFLOW_EXPOSE_PROMETHEUS`,
        });
    }
  }
}

export const mlflowRules: readonly Rule[] = [
  {
    id: "mlflow/concurrent-upgrade",
    severity: "error",
    covers: ["E30"],
    title: "several replicas of MLflow without a migration job",
    why: "A server that starts brings its database up to date. The lock for that is a file in the pod's temporary folder: replicas do not see each other's.",
    remedy:
      "Run `mlflow db upgrade` in one Job before the Deployment: in Argo CD a Sync hook with a wave between the secret and the Deployment.",
    check: concurrentUpgrades,
  },
  {
    id: "mlflow/artifacts-by-clients",
    severity: "warning",
    covers: ["E32"],
    title: "a bucket as default artifact root",
    why: "Runs then tell clients the bucket's address, and clients go there with keys of their own.",
    remedy:
      "Use --artifacts-destination with the bucket: the server passes artifacts through, and keeps the keys.",
    check: clientSideArtifacts,
  },
  {
    id: "mlflow/open-to-the-public",
    severity: "error",
    covers: ["E31"],
    title: "a way in to MLflow without authentication",
    why: "MLflow lets everybody in unless it is told otherwise.",
    remedy:
      "Put an authenticating proxy or the gateway's own authentication in front, or use basic-auth with a password of your own; or use Plinth, which refuses to start open.",
    check: open,
  },
  {
    id: "mlflow/unknown-host",
    severity: "error",
    covers: ["E31"],
    title: "MLflow does not know the host that it is called by",
    why: "From 3.5 on it answers 403 to other hosts than local ones, unless they are listed; probes of /health are excepted, so the pod looks healthy.",
    remedy:
      "List the public host and the service's names with --allowed-hosts or MLFLOW_SERVER_ALLOWED_HOSTS, ports included.",
    check: hostCheck,
  },
  {
    id: "mlflow/no-tls",
    severity: "warning",
    covers: ["E31"],
    title: "an Ingress to MLflow without TLS",
    why: "Passwords and artifacts can be read on the way.",
    remedy: "Add spec.tls with a certificate.",
    check: withoutTls,
  },
  {
    id: "mlflow/basic-auth-defaults",
    severity: "error",
    covers: ["E31"],
    title: "MLflow's basic-auth as it comes",
    why: "The administrator's password is the documented one, users are kept in SQLite in the pod, and each replica signs sessions with another key.",
    remedy:
      "Set MLFLOW_AUTH_CONFIG_PATH to a configuration with your own password and database, and MLFLOW_FLASK_SERVER_SECRET_KEY from a secret.",
    check: basicAuth,
  },
  {
    id: "mlflow/metrics-off",
    severity: "error",
    covers: ["E09"],
    title: "a monitor for MLflow whose metrics are off",
    why: "Without the option there is no /metrics.",
    remedy: "Set MLFLOW_EXPOSE_PROMETHEUS to a writable folder.",
    check: noMetrics,
  },
];
