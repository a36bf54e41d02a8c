import { compareVersions } from "../../schemas/versions.ts";
import type { Problem, Rule } from "../rule.ts";
import type { HelmRelease, Located, Path, Workspace } from "../workspace.ts";
import { chartName, serviceOf } from "./chart-objects.ts";
import { backendsOf, leadsTo, type Backend } from "./exposure.ts";
import {
  at,
  fields,
  known,
  list,
  mayMatch,
  mayBeSameNamespace,
  objectsOf,
  problemAt,
  perWorkspace,
} from "./kubernetes-objects.ts";

/** ZenML's server: who can claim it, how it is reached, what it does not have. */

type Server = {
  release: HelmRelease;
  values: Located;
  main: string;
  settings: Readonly<Record<string, unknown>>;
};

const serversOf = perWorkspace((workspace: Workspace): Server[] =>
  workspace.releases.flatMap((release) => {
    const { values } = release;
    if (chartName(release) !== "zenml" || values === undefined) return [];
    const main =
      at(values.value, "server") === undefined && at(values.value, "zenml") !== undefined
        ? "zenml"
        : "server";
    return [{ release, values, main, settings: fields(at(values.value, main)) }];
  }),
);

const routesTo = (workspace: Workspace, release: HelmRelease): Backend[] =>
  backendsOf(workspace).filter((backend) => leadsTo(backend, release, "zenml"));

/** The chart's ingress is on unless it is switched off. */
const hasOwnIngress = ({ settings }: Server): boolean =>
  (at(settings, "ingress", "enabled") ?? true) === true;

const hasGateway = ({ settings }: Server): boolean => at(settings, "gateway", "enabled") === true;

const PASSWORD = "ZENML_DEFAULT_USER_PASSWORD";
const ACTIVATE = "ZENML_SERVER_AUTO_ACTIVATE";

function isActivated({ settings }: Server): boolean {
  const plain = fields(settings["environment"]);
  const secret = fields(settings["secretEnvironment"]);
  const references = list(settings["environmentSecretKeyRefs"]).map((one) => at(one, "name"));
  const active = /^(?:true|1|yes|on)$/i.test(String(plain[ACTIVATE] ?? secret[ACTIVATE]));
  return (
    active &&
    (secret[PASSWORD] !== undefined || plain[PASSWORD] !== undefined || references.includes(PASSWORD))
  );
}

function* claimable(workspace: Workspace): Iterable<Problem> {
  for (const server of serversOf(workspace)) {
    const { release, values, main } = server;
    const routes = routesTo(workspace, release);
    const ways = [
      ...(hasGateway(server) ? ["the chart's gateway route"] : []),
      ...(hasOwnIngress(server) ? ["the chart's ingress, which is on by default"] : []),
      ...routes.map(({ manifest }) => `${manifest.kind} ${manifest.name}`),
    ];
    if (ways.length === 0 || isActivated(server)) continue;
    const path: Path = at(values.value, main) === undefined ? [] : [main];
    yield problemAt(values, {
      path,
      message: `the server ${release.releaseName ?? "zenml"} is reached from outside (${[...new Set(ways)].join(", ")}) before it is activated: its first visitor becomes administrator, as PUT /api/v1/activate asks for no credentials`,
    });
  }
}

function* twoWaysIn(workspace: Workspace): Iterable<Problem> {
  for (const server of serversOf(workspace)) {
    const [route] = routesTo(workspace, server.release);
    if (route === undefined) continue;
    const { manifest, path } = route;
    const own = hasOwnIngress(server)
      ? `${server.main}.ingress.enabled, which is on by default`
      : hasGateway(server)
        ? `${server.main}.gateway.enabled`
        : undefined;
    if (own !== undefined)
      yield problemAt(manifest, {
        path,
        message: `${manifest.kind} ${manifest.name} is a second way in beside the chart's own (${own})`,
      });
  }
}

function* withoutUrl(workspace: Workspace): Iterable<Problem> {
  for (const server of serversOf(workspace)) {
    const { release, values, settings, main } = server;
    const isPublic =
      hasGateway(server) ||
      at(settings, "ingress", "enabled") === true ||
      routesTo(workspace, release).length > 0;
    if (isPublic && (settings["serverURL"] === undefined || settings["serverURL"] === ""))
      yield problemAt(values, {
        path: at(values.value, main) === undefined ? [] : [main],
        message:
          "the server has a public address, but serverURL is not set: links and log-ins lead to the internal one",
      });
  }
}

function* renderedSecret(workspace: Workspace): Iterable<Problem> {
  const inArgo = new Set(objectsOf(workspace, "Application", "ApplicationSet").map(({ file }) => file));
  for (const { release, values, settings, main } of serversOf(workspace)) {
    if (!inArgo.has(release.file) || at(settings, "auth", "jwtSecretKey") !== undefined) continue;
    const secret = list(settings["environmentSecretKeyRefs"]).some(
      (one) => at(one, "name") === "ZENML_SERVER_JWT_SECRET_KEY",
    );
    if (!secret)
      yield problemAt(values, {
        path: [main, "auth"],
        message:
          "auth.jwtSecretKey is not set: Argo CD renders a new random one each time, and every sync logs all users out",
      });
  }
}

function* debugging(workspace: Workspace): Iterable<Problem> {
  for (const { release, values, settings, main } of serversOf(workspace)) {
    const old = release.version !== undefined && (compareVersions(release.version, "0.94.0") ?? 0) < 0;
    const on = settings["debug"] === true || (old && settings["debug"] === undefined);
    if (on)
      yield problemAt(values, {
        path: [main, "debug"],
        message:
          settings["debug"] === true
            ? "debug is on"
            : `debug is on by default in the chart ${release.version}`,
      });
  }
}

/** 40 request threads and 5 for log-ins, by default. */
const THREADS = 45;

function* connections(workspace: Workspace): Iterable<Problem> {
  for (const { values, settings, main } of serversOf(workspace)) {
    const { poolSize, maxOverflow } = fields(settings["database"]);
    if (typeof poolSize !== "number" || typeof maxOverflow !== "number" || poolSize + maxOverflow >= THREADS)
      continue;
    yield problemAt(values, {
      path: [main, "database", "poolSize"],
      message: `poolSize ${poolSize} and maxOverflow ${maxOverflow} make ${poolSize + maxOverflow} connections for ${THREADS} threads`,
    });
  }
}

function* replicas(workspace: Workspace): Iterable<Problem> {
  for (const { values, settings, main } of serversOf(workspace)) {
    const count = settings["replicaCount"];
    const scaled =
      at(values.value, "autoscaling", "enabled") === true || (typeof count === "number" && count > 1);
    if (scaled && at(settings, "database", "url") === undefined)
      yield problemAt(values, {
        path: [main, "database"],
        message:
          "several replicas are asked for, but without database.url the chart uses SQLite and makes one",
      });
  }
}

const NAMES = new Set(["zenml", "zenml-server"]);

function* scraped(workspace: Workspace): Iterable<Problem> {
  const services = serversOf(workspace).flatMap(({ release }) => {
    const service = serviceOf(release);
    return service === undefined ? [] : [{ namespace: release.namespace, labels: service.labels }];
  });
  for (const monitor of objectsOf(workspace, "ServiceMonitor", "PodMonitor")) {
    const wanted = fields(at(monitor.value, "spec", "selector", "matchLabels"));
    const byName = Object.entries(wanted).some(
      ([key, value]) => /(?:^|\/)(?:name|instance)$|^app$/.test(key) && NAMES.has(String(value)),
    );
    const byLabels =
      Object.keys(wanted).length > 0 &&
      services.some(
        ({ labels, namespace }) =>
          mayMatch(wanted, labels) && mayBeSameNamespace(namespace, monitor.namespace),
      );
    if (byName || byLabels)
      yield problemAt(monitor, {
        path: ["kind"],
        message: `${monitor.kind} ${monitor.name} scrapes ZenML's server, which has no metrics: every path that it does not know answers with the dashboard's page`,
      });
  }
}

function* deployers(workspace: Workspace): Iterable<Problem> {
  const message =
    "ZenML has no model deployer for KServe (there are seldon, bentoml, huggingface, mlflow, databricks and vllm)";
  for (const { file, line, words } of workspace.commands) {
    const asks =
      words.includes("model-deployer") &&
      words.some(
        (word, index) =>
          word === "--flavor=kserve" ||
          (word === "kserve" && /^(?:-f|--flavor)$/.test(words[index - 1] ?? "")),
      );
    const integration =
      words.includes("integration") && words.includes("install") && words.includes("kserve");
    if (words[0] === "zenml" && (asks || integration)) yield { file, line, message };
  }
  for (const { files } of workspace.modules)
    for (const { file, body } of files)
      for (const block of body.blocks) {
        if (block.labels[0] !== "zenml_stack_component") continue;
        const literal = (name: string): unknown => {
          const value = block.body.attributes.find((one) => one.name === name)?.value;
          return value?.kind === "literal" ? value.value : undefined;
        };
        if (
          literal("type") === "model_deployer" &&
          known(literal("flavor")) &&
          literal("flavor") === "kserve"
        )
          yield { file, line: block.line, message };
      }
}

export const zenmlRules: readonly Rule[] = [
  {
    id: "zenml/claimable-server",
    severity: "error",
    covers: ["E04"],
    title: "a public ZenML server that anyone can activate",
    why: "Until it is activated, a server lets the first visitor make the administrator's account.",
    remedy:
      'Set environment.ZENML_SERVER_AUTO_ACTIVATE: "true" and ZENML_DEFAULT_USER_PASSWORD from a secret (secretEnvironment or environmentSecretKeyRefs); switch ingress.enabled off where no way in is wanted.',
    check: claimable,
  },
  {
    id: "zenml/two-ways-in",
    severity: "error",
    covers: ["E20"],
    title: "a route of one's own beside the chart's ingress",
    why: "The chart makes an Ingress with the class nginx unless it is told not to; two controllers then claim the host.",
    remedy: "Set ingress.enabled: false, or drop the route and use the chart's gateway.",
    check: twoWaysIn,
  },
  {
    id: "zenml/no-server-url",
    severity: "warning",
    covers: ["E20"],
    title: "a public ZenML server that does not know its address",
    why: "The server builds links, redirects and device log-ins from serverURL.",
    remedy: "Set serverURL to the public address.",
    check: withoutUrl,
  },
  {
    id: "zenml/random-jwt-secret",
    severity: "error",
    covers: [],
    title: "a signing key that changes with each sync",
    why: "The chart makes one up with randAlphaNum and looks the old one up in the cluster, which Argo CD's rendering cannot.",
    remedy: "Set auth.jwtSecretKey from a secret.",
    check: renderedSecret,
  },
  {
    id: "zenml/debug",
    severity: "warning",
    covers: ["E19"],
    title: "ZenML's server in debug mode",
    why: "Debug logs hold requests with what is in them; the chart had it on by default up to 0.93.",
    remedy: "Set debug: false; newer charts have logging.verbosity.",
    check: debugging,
  },
  {
    id: "zenml/few-connections",
    severity: "warning",
    covers: [],
    title: "fewer database connections than threads",
    why: "Threads that find no connection wait, then fail.",
    remedy: `Let poolSize and maxOverflow add up to ${THREADS} or more.`,
    check: connections,
  },
  {
    id: "zenml/replicas-without-database",
    severity: "error",
    covers: ["E01"],
    title: "several replicas on SQLite",
    why: "Without database.url the chart keeps SQLite in the pod and forces one replica.",
    remedy: "Set database.url to a MySQL database.",
    check: replicas,
  },
  {
    id: "zenml/no-metrics",
    severity: "error",
    covers: ["E09", "E08"],
    title: "a monitor for ZenML's server",
    why: "It exposes no Prometheus metrics: /health and /ready answer JSON, other paths the dashboard.",
    remedy: "Probe /health with a Probe and the blackbox exporter; newer servers push OpenTelemetry.",
    check: scraped,
  },
  {
    id: "zenml/no-kserve-deployer",
    severity: "error",
    covers: ["E61"],
    title: "a KServe model deployer in ZenML",
    why: "ZenML has no such flavor: registering it fails.",
    remedy: "Let a pipeline step or Argo CD apply the InferenceService.",
    check: deployers,
  },
];
