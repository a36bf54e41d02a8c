import { componentLabels, gatewayName } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { KubernetesObject, ManifestResource, Reason, Resource } from "../resource.ts";
import { overlayFolder } from "./part.ts";
import { platformOverlay } from "./platform-folders.ts";
import { routesOf, type PlatformRoute } from "./routes.ts";

/** How long an upload or a download may take: artifacts are gigabytes. */
const LONGEST_REQUEST_SECONDS = 3600;

/** Routes in the namespaces of what they lead to, and who may use them. */
export function gatewayRoutes(plan: Plan): Resource[] {
  const all = routesOf(plan);
  if (all.length === 0) return [];
  const part = "routes";
  const files = all.map(({ name }) => `${name}.yaml`);
  const because: Reason[] = [{ setting: "gateway.engine", why: "routes only for what is exposed" }];
  return [
    ...all.flatMap((route) => routeFile(plan, route, `${overlayFolder(plan, part)}/${route.name}.yaml`)),
    ...platformOverlay(plan, { part, overlay: files, because }),
  ];
}

function routeFile(plan: Plan, route: PlatformRoute, file: string): ManifestResource[] {
  const setting = exposureSetting(plan, route);
  const because: Reason[] = [
    { setting, why: `${route.host} is reached from outside: ${route.exposure.kind}` },
  ];
  const manifest = (object: KubernetesObject | undefined, comment?: string): ManifestResource[] =>
    object === undefined
      ? []
      : [{ kind: "manifest", file, because, object, ...(comment === undefined ? {} : { comment }) }];
  return [
    ...manifest(accessOf(plan, route), "Before the route itself: nobody gets in meanwhile."),
    ...manifest(httpRoute(plan, route)),
    ...googlePolicies(plan, route).flatMap((object) => manifest(object)),
  ];
}

const exposureSetting = ({ tracking }: Plan, { part }: PlatformRoute): string =>
  part === tracking.name ? "tracking.exposure" : part === "zenml" ? "pipelines.exposure" : "serving.exposure";

function httpRoute(plan: Plan, { name, namespace, host, rules }: PlatformRoute): KubernetesObject {
  const { environment } = plan;
  const { engine, namespace: gatewayNamespace } = environment.gateway;
  // GKE knows no timeouts of routes: a policy of the backend has them.
  const timeouts = engine === "gke" ? {} : { timeouts: { request: `${LONGEST_REQUEST_SECONDS}s` } };
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name, namespace, labels: componentLabels(environment, name) },
    spec: {
      parentRefs: [{ name: gatewayName, namespace: gatewayNamespace, sectionName: name }],
      hostnames: [host],
      rules: rules.map(({ service, port, prefix }) => ({
        matches: [{ path: { type: "PathPrefix", value: prefix ?? "/" } }],
        ...(prefix === undefined
          ? {}
          : {
              filters: [
                {
                  type: "URLRewrite",
                  urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } },
                },
              ],
            }),
        backendRefs: [{ name: service, port }],
        ...timeouts,
      })),
    },
  };
}

/** Who may use a route; undefined where everybody may, as far as the Gateway is concerned. */
function accessOf(
  { environment }: Plan,
  { name, namespace, exposure }: PlatformRoute,
): KubernetesObject | undefined {
  if (environment.gateway.engine !== "envoy-gateway") return undefined;
  const access =
    exposure.kind === "gateway-login"
      ? { basicAuth: { users: { name: `${name}-login` } } }
      : exposure.kind === "networks"
        ? {
            authorization: {
              defaultAction: "Deny",
              rules: [
                { name: "known-networks", action: "Allow", principal: { clientCIDRs: exposure.cidrs } },
              ],
            },
          }
        : undefined;
  if (access === undefined) return undefined;
  return {
    apiVersion: "gateway.envoyproxy.io/v1alpha1",
    kind: "SecurityPolicy",
    metadata: {
      name,
      namespace,
      labels: componentLabels(environment, name),
      annotations: { "argocd.argoproj.io/sync-wave": "-1" },
    },
    spec: {
      targetRefs: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", name }],
      ...access,
    },
  };
}

/** What Google's load balancer asks each backend, and how long it waits: it asks `/` and waits 30 seconds otherwise. */
function googlePolicies({ environment }: Plan, { namespace, rules }: PlatformRoute): KubernetesObject[] {
  if (environment.gateway.engine !== "gke") return [];
  return rules.flatMap(({ service, healthPath }) => {
    const metadata = { name: service, namespace, labels: componentLabels(environment, service) };
    const targetRef = { group: "", kind: "Service", name: service };
    return [
      {
        apiVersion: "networking.gke.io/v1",
        kind: "HealthCheckPolicy",
        metadata,
        spec: {
          default: { config: { type: "HTTP", httpHealthCheck: { requestPath: healthPath } } },
          targetRef,
        },
      },
      {
        apiVersion: "networking.gke.io/v1",
        kind: "GCPBackendPolicy",
        metadata,
        spec: { default: { timeoutSec: LONGEST_REQUEST_SECONDS }, targetRef },
      },
    ];
  });
}
