import { componentLabels, gatewayAddressName, gatewayName, reservedIpName } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { KubernetesObject, ManifestResource, Reason, Resource } from "../resource.ts";
import { issuerName } from "./certificates.ts";
import { overlayFolder } from "./part.ts";
import { platformBase, platformOverlay } from "./platform-folders.ts";
import { httpGatewayName, httpListener, routesOf, type PlatformRoute } from "./routes.ts";

/** The one way in: a Gateway whose listeners each admit the routes of one namespace. */
export function gateway(plan: Plan): Resource[] {
  const routes = routesOf(plan);
  if (routes.length === 0) return [];
  const part = "gateway";
  const { engine } = plan.environment.gateway;
  const because: Reason[] = [
    { setting: "gateway.engine", why: `${engine} serves what is reached from outside` },
  ];
  const base = (object: KubernetesObject, more: Partial<ManifestResource> = {}): ManifestResource => ({
    kind: "manifest",
    file: `${platformBase(part)}/${fileName(object)}`,
    because,
    object,
    ...more,
  });
  const shared = [
    ...(engine === "envoy-gateway"
      ? [base(gatewayClass(plan)), base(envoyProxy(plan), envoyProxyNotes)]
      : []),
    ...(engine === "envoy-gateway" ? [base(clientTraffic(plan), clientTrafficNotes)] : []),
    base(redirect(plan), {
      comment: "Plain HTTP leads to HTTPS, except challenges of Let's Encrypt, whose routes are more exact.",
    }),
  ];
  const own = gateways(plan, routes).map((object): ManifestResource => ({
    kind: "manifest",
    file: `${overlayFolder(plan, part)}/gateway.yaml`,
    because: [...because, { setting: "domain", why: "one listener for each host" }],
    object,
  }));
  return [
    ...shared,
    ...own,
    ...platformOverlay(plan, {
      part,
      base: [...new Set(shared.map(({ object }) => fileName(object)))],
      overlay: ["gateway.yaml"],
      because,
    }),
  ];
}

const fileName = ({ kind }: KubernetesObject): string =>
  ({
    GatewayClass: "gateway-class.yaml",
    EnvoyProxy: "envoy-proxy.yaml",
    ClientTrafficPolicy: "client-traffic.yaml",
    HTTPRoute: "redirect.yaml",
  })[kind] ?? `${kind.toLowerCase()}.yaml`;

const labelsOf = (plan: Plan): Record<string, string> => componentLabels(plan.environment, "gateway");

const CLASSES = {
  "envoy-gateway": "envoy-gateway",
  kgateway: "kgateway",
  gke: "gke-l7-global-external-managed",
} as const;

/** kgateway makes its class itself, GKE brings its own along. */
const gatewayClass = (plan: Plan): KubernetesObject => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "GatewayClass",
  metadata: { name: CLASSES["envoy-gateway"], labels: labelsOf(plan) },
  spec: { controllerName: "gateway.envoyproxy.io/gatewayclass-controller" },
});

function gateways(plan: Plan, routes: readonly PlatformRoute[]): KubernetesObject[] {
  const http = {
    name: httpListener,
    protocol: "HTTP",
    port: 80,
    allowedRoutes: { namespaces: { from: "Same" } },
  };
  const https = routes.map(({ name, host, namespace }) => ({
    name,
    hostname: host,
    protocol: "HTTPS",
    port: 443,
    tls: { mode: "Terminate", certificateRefs: [{ kind: "Secret", name: `${name}-tls` }] },
    allowedRoutes: {
      kinds: [{ kind: "HTTPRoute" }],
      namespaces: {
        from: "Selector",
        selector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
      },
    },
  }));
  const httpName = httpGatewayName(plan);
  return httpName === gatewayName
    ? [gatewayObject(plan, { name: gatewayName, listeners: [http, ...https], isTls: true })]
    : [
        gatewayObject(plan, { name: httpName, listeners: [http], isTls: false }),
        gatewayObject(plan, { name: gatewayName, listeners: https, isTls: true }),
      ];
}

type Listeners = { name: string; listeners: readonly object[]; isTls: boolean };

function gatewayObject(plan: Plan, { name, listeners, isTls }: Listeners): KubernetesObject {
  const { environment } = plan;
  const { engine, namespace } = environment.gateway;
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: {
      name,
      namespace,
      labels: labelsOf(plan),
      ...(isTls ? { annotations: { "cert-manager.io/cluster-issuer": issuerName(plan) } } : {}),
    },
    spec: {
      gatewayClassName: CLASSES[engine],
      ...(engine === "gke"
        ? { addresses: [{ type: "NamedAddress", value: gatewayAddressName(environment) }] }
        : {}),
      ...(engine === "envoy-gateway"
        ? {
            infrastructure: {
              parametersRef: { group: "gateway.envoyproxy.io", kind: "EnvoyProxy", name: gatewayName },
            },
          }
        : {}),
      ...(engine === "kgateway" && environment.target.kind === "civo"
        ? { infrastructure: { annotations: civoLoadBalancer(environment) } }
        : {}),
      listeners,
    },
  };
}

/** Civo's load balancer takes the address that is kept for it, and tells who the visitor is. */
const civoLoadBalancer = (environment: Plan["environment"]): Record<string, string> => ({
  "kubernetes.civo.com/ipv4-address": reservedIpName(environment),
  ...(environment.gateway.engine === "envoy-gateway"
    ? { "kubernetes.civo.com/loadbalancer-enable-proxy-protocol": "send-proxy-v2" }
    : {}),
});

/** How the proxies run. */
function envoyProxy({ environment }: Plan): KubernetesObject {
  const production = environment.tier === "production";
  const { target } = environment;
  return {
    apiVersion: "gateway.envoyproxy.io/v1alpha1",
    kind: "EnvoyProxy",
    metadata: {
      name: gatewayName,
      namespace: environment.gateway.namespace,
      labels: componentLabels(environment, "gateway"),
    },
    spec: {
      provider: {
        type: "Kubernetes",
        kubernetes: {
          envoyDeployment: {
            replicas: production ? 2 : 1,
            container: {
              resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "1Gi" } },
            },
            ...(production
              ? {
                  pod: {
                    topologySpreadConstraints: [
                      {
                        maxSkew: 1,
                        topologyKey: "topology.kubernetes.io/zone",
                        whenUnsatisfiable: "ScheduleAnyway",
                        labelSelector: {
                          matchLabels: { "gateway.envoyproxy.io/owning-gateway-name": gatewayName },
                        },
                      },
                    ],
                  },
                }
              : {}),
            patch: {
              type: "StrategicMerge",
              value: {
                spec: {
                  template: {
                    spec: {
                      containers: [
                        {
                          name: "shutdown-manager",
                          resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "64Mi" } },
                        },
                      ],
                    },
                  },
                },
              },
            },
          },
          ...(production ? { envoyPDB: { maxUnavailable: 1 } } : {}),
          envoyService: {
            externalTrafficPolicy: "Local",
            ...(target.kind === "civo" ? { annotations: civoLoadBalancer(environment) } : {}),
            ...(target.kind === "gcp"
              ? {
                  annotations: {
                    "cloud.google.com/l4-rbs": "enabled",
                    "networking.gke.io/load-balancer-ip-addresses": gatewayAddressName(environment),
                  },
                }
              : {}),
          },
        },
      },
    },
  };
}

const envoyProxyNotes: Partial<ManifestResource> = {
  notes: {
    "spec.provider.kubernetes.envoyService.externalTrafficPolicy":
      "Keeps the visitor's address, which rules for networks look at.",
    "spec.provider.kubernetes.envoyDeployment.patch":
      "Envoy Gateway names no memory limit for this container.",
  },
};

function clientTraffic({ environment }: Plan): KubernetesObject {
  return {
    apiVersion: "gateway.envoyproxy.io/v1alpha1",
    kind: "ClientTrafficPolicy",
    metadata: {
      name: gatewayName,
      namespace: environment.gateway.namespace,
      labels: componentLabels(environment, "gateway"),
    },
    spec: {
      targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: gatewayName }],
      // Without a header of the load balancer a connection comes from within the cluster: cert-manager's, for example.
      ...(environment.target.kind === "civo" ? { proxyProtocol: { optional: true } } : {}),
      tls: { minVersion: "1.2" },
      path: { escapedSlashesAction: "KeepUnchanged" },
      timeout: { http: { idleTimeout: "1h" } },
    },
  };
}

const clientTrafficNotes: Partial<ManifestResource> = {
  notes: {
    "spec.path.escapedSlashesAction":
      "Names of models and artifacts may have a slash in them: /models/a%2Fb is not /models/a/b.",
  },
};

/** From plain HTTP to HTTPS. */
function redirect(plan: Plan): KubernetesObject {
  const { environment } = plan;
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: {
      name: "redirect-to-https",
      namespace: environment.gateway.namespace,
      labels: componentLabels(environment, "gateway"),
    },
    spec: {
      parentRefs: [{ name: httpGatewayName(plan), sectionName: httpListener }],
      rules: [
        { filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https", statusCode: 301 } }] },
      ],
    },
  };
}
