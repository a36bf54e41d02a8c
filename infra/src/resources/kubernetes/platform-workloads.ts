import { gatewayName, namespaces } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import { identityFlow, type Flow, type Metrics, type Peer, type Workload } from "./part.ts";

/** Pods of the platform itself, and whom they talk to. What needs no rule of its own is one workload per namespace. */

const api: Flow = { peer: { kind: "kubernetes-api" }, ports: [443, 6443], why: "the Kubernetes API" };

/** The API server calls webhooks from addresses that no label selects: whoever has the port open is asked over TLS. */
const webhook = (port: number): Flow => ({
  peer: { kind: "networks", cidrs: ["0.0.0.0/0"] },
  ports: [port],
  why: "the API server calls the webhook, from an address that differs by cluster",
});

const anyAddress = (ports: readonly number[], why: string): Flow => ({
  peer: { kind: "networks", cidrs: ["0.0.0.0/0"] },
  ports,
  why,
});

const metricsFlow = (ports: readonly number[]): Flow => ({
  peer: { kind: "monitoring" },
  ports,
  why: "metrics",
});

/** An operator: it talks to the API server, which calls its webhook. */
function operator(
  namespace: string,
  more: Partial<Workload> & { webhookPort?: number; metricsPorts?: readonly number[] },
): Workload {
  const { webhookPort, metricsPorts = [], ingress = [], egress = [], ...rest } = more;
  return {
    name: namespace,
    namespace,
    selector: {},
    ingress: [
      ...(webhookPort === undefined ? [] : [webhook(webhookPort)]),
      ...(metricsPorts.length === 0 ? [] : [metricsFlow(metricsPorts)]),
      ...ingress,
    ],
    egress: [api, ...egress],
    ...rest,
  };
}

const byPods = (selector: Readonly<Record<string, string>>, port: string, path = "/metrics"): Metrics => ({
  by: "pods",
  selector,
  port,
  path,
});

export const certManagerWorkload = (plan: Plan): Workload =>
  operator(namespaces.certManager, {
    webhookPort: 10_250,
    metricsPorts: [9402],
    egress: [
      anyAddress([80, 443], "Let's Encrypt, and looking at a challenge before Let's Encrypt is told"),
      // Within the cluster the address of the load balancer leads straight to the proxies.
      ...(proxyPeer(plan) === undefined
        ? []
        : [
            {
              peer: { kind: "gateway" } as const,
              ports: proxyPorts(plan),
              why: "looking at a challenge from within the cluster",
            },
          ]),
    ],
    metrics: byPods({ "app.kubernetes.io/instance": "cert-manager" }, "http-metrics"),
  });

export const externalSecretsWorkload = (plan: Plan): Workload =>
  operator(namespaces.externalSecrets, {
    webhookPort: 10_250,
    metricsPorts: [8080],
    egress: [{ peer: { kind: "internet" }, ports: [443], why: "the secret store" }, ...identityFlow(plan)],
    metrics: byPods({ "app.kubernetes.io/instance": "external-secrets" }, "metrics"),
  });

export const sealedSecretsWorkload = (): Workload =>
  operator(namespaces.sealedSecrets, {
    metricsPorts: [8081],
    ingress: [anyAddress([8080], "kubeseal asks for the certificate, through the API server")],
    metrics: byPods({ "app.kubernetes.io/name": "sealed-secrets" }, "metrics"),
  });

export const kyvernoWorkload = (): Workload =>
  operator(namespaces.kyverno, {
    webhookPort: 9443,
    metricsPorts: [8000],
    metrics: byPods({ "app.kubernetes.io/part-of": "kyverno" }, "metrics-port"),
  });

/** Databases that an operator looks after, by the namespaces they are in. */
const inNamespaces = (peers: readonly string[], ports: readonly number[], why: string): Flow[] =>
  peers.map((namespace) => ({ peer: { kind: "namespace", namespace }, ports, why }));

export const cloudNativePgWorkload = (databases: readonly string[]): Workload =>
  operator(namespaces.cloudNativePg, {
    webhookPort: 9443,
    metricsPorts: [8080],
    ingress: [
      {
        peer: { kind: "namespace", namespace: namespaces.cloudNativePg },
        ports: [9090],
        why: "the operator calls its backup plugin",
      },
    ],
    egress: [
      ...inNamespaces(databases, [5432, 8000], "the state of each instance"),
      {
        peer: { kind: "namespace", namespace: namespaces.cloudNativePg },
        ports: [9090],
        why: "the operator calls its backup plugin",
      },
    ],
    metrics: byPods({ "app.kubernetes.io/name": "cloudnative-pg" }, "metrics"),
  });

export const kubeBlocksWorkload = (databases: readonly string[]): Workload =>
  operator(namespaces.kubeBlocks, {
    webhookPort: 9443,
    egress: inNamespaces(databases, [], "agents of the instances, whose ports differ by engine"),
  });

export const kserveWorkload = (): Workload => operator(namespaces.kserve, { webhookPort: 9443 });

export const knativeWorkload = (models: string): Workload =>
  operator(namespaces.knative, {
    webhookPort: 8443,
    ingress: [
      {
        peer: { kind: "namespace", namespace: namespaces.knative },
        ports: [],
        why: "Knative's parts talk to each other",
      },
      {
        peer: { kind: "namespace", namespace: models },
        ports: [8080],
        why: "queue-proxies report to the autoscaler",
      },
    ],
    egress: [
      {
        peer: { kind: "namespace", namespace: namespaces.knative },
        ports: [],
        why: "Knative's parts talk to each other",
      },
      {
        peer: { kind: "namespace", namespace: models },
        ports: [8012, 8013, 8022, 9090],
        why: "activator and autoscaler",
      },
      anyAddress([443], "digests of images, asked of their registry"),
    ],
  });

export const knativeOperatorWorkload = (): Workload =>
  operator(namespaces.knativeOperator, { webhookPort: 8443 });

export const argoCdWorkload = (): Workload =>
  operator(namespaces.argoCd, {
    metricsPorts: [8082, 8083, 8084],
    ingress: [
      {
        peer: { kind: "namespace", namespace: namespaces.argoCd },
        ports: [],
        why: "Argo CD's parts talk to each other",
      },
    ],
    egress: [
      {
        peer: { kind: "namespace", namespace: namespaces.argoCd },
        ports: [],
        why: "Argo CD's parts talk to each other",
      },
      anyAddress([22, 443], "Git and chart repositories, which may be in a private network"),
    ],
    metrics: byPods({ "app.kubernetes.io/name": "argocd-application-controller" }, "metrics"),
  });

export const monitoringWorkload = (): Workload =>
  operator(namespaces.monitoring, {
    webhookPort: 10_250,
    ingress: [
      {
        peer: { kind: "namespace", namespace: namespaces.monitoring },
        ports: [],
        why: "Prometheus, Grafana and Alertmanager",
      },
    ],
    egress: [
      {
        peer: { kind: "namespace", namespace: namespaces.monitoring },
        ports: [],
        why: "Prometheus, Grafana and Alertmanager",
      },
      anyAddress([9100, 10_250], "node-exporter and kubelets, at the addresses of nodes"),
      { peer: { kind: "internet" }, ports: [443], why: "Alertmanager's receivers" },
    ],
  });

/** Where the proxies listen. Envoy Gateway moves ports below 1024 up; kgateway did until it could open them. */
const proxyPorts = ({ environment }: Plan): readonly number[] =>
  environment.gateway.engine === "envoy-gateway" ? [10_080, 10_443] : [80, 443, 8080, 8443];

/** The proxies of the Gateway, where they are pods of the cluster. */
export function proxyPeer(plan: Plan): Extract<Peer, { kind: "pods" }> | undefined {
  const { gateway } = plan.environment;
  switch (gateway.engine) {
    case "envoy-gateway":
      return {
        kind: "pods",
        namespace: namespaces.envoyGateway,
        selector: {
          "gateway.envoyproxy.io/owning-gateway-name": gatewayName,
          "gateway.envoyproxy.io/owning-gateway-namespace": gateway.namespace,
        },
      };
    case "kgateway":
      return {
        kind: "pods",
        namespace: gateway.namespace,
        selector: { "gateway.networking.k8s.io/gateway-name": gatewayName },
      };
    case "gke":
      return undefined;
  }
}

/** Controller and proxies. `backends`: what the routes lead to. */
export function gatewayWorkloads(plan: Plan, backends: readonly Flow[]): Workload[] {
  const { gateway } = plan.environment;
  const solver: Workload = {
    name: "acme-solver",
    namespace: gateway.namespace,
    selector: { "acme.cert-manager.io/http01-solver": "true" },
    ingress: [
      { peer: { kind: "gateway" }, ports: [SOLVER_PORT], why: "Let's Encrypt looks at the challenge" },
    ],
    egress: [],
  };
  const proxies = proxyPeer(plan);
  if (proxies === undefined) return [solver];
  const controlPort = gateway.engine === "envoy-gateway" ? [18_000, 18_002] : [9977];
  const controller =
    gateway.engine === "envoy-gateway"
      ? {
          namespace: namespaces.envoyGateway,
          selector: { "control-plane": "envoy-gateway" },
          metrics: 19_001,
          webhook: 9443,
        }
      : {
          namespace: namespaces.kgateway,
          selector: { "app.kubernetes.io/name": "kgateway" },
          metrics: 9092,
          webhook: undefined,
        };
  return [
    solver,
    {
      name: gateway.engine,
      namespace: controller.namespace,
      selector: controller.selector,
      ingress: [
        { peer: proxies, ports: controlPort, why: "proxies ask for their configuration" },
        metricsFlow([controller.metrics]),
      ],
      egress: [api],
      metrics: byPods(controller.selector, "metrics"),
    },
    // The Job that makes the controller's certificates talks to the API server, before there is a proxy.
    ...(gateway.engine === "envoy-gateway"
      ? [
          {
            name: "envoy-gateway-certgen",
            namespace: controller.namespace,
            selector: { app: "certgen" },
            ingress: [],
            egress: [api],
          },
        ]
      : []),
    {
      name: "gateway-proxies",
      namespace: proxies.namespace,
      selector: proxies.selector,
      ingress: [
        anyAddress(proxyPorts(plan), "visitors"),
        ...(gateway.engine === "envoy-gateway" ? [metricsFlow([19_001])] : []),
      ],
      egress: [
        {
          peer: { kind: "pods", namespace: controller.namespace, selector: controller.selector },
          ports: controlPort,
          why: "their configuration",
        },
        {
          peer: { kind: "pods", namespace: gateway.namespace, selector: solver.selector },
          ports: [SOLVER_PORT],
          why: "challenges of Let's Encrypt",
        },
        ...backends,
      ],
      ...(gateway.engine === "envoy-gateway"
        ? { metrics: byPods(proxies.selector, "metrics", "/stats/prometheus") }
        : {}),
    },
  ];
}

/** Port of the pods that cert-manager answers HTTP-01 challenges with. */
const SOLVER_PORT = 8089;
