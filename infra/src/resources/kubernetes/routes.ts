import { gatewayName, hostsOf } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { Exposure } from "../../spec/components.ts";
import { partsOf } from "./parts.ts";

/** A host of the Gateway and what is behind it. */
export type PlatformRoute = {
  /** Name of the HTTPRoute, of the Gateway's listener and, with `-tls`, of the certificate. */
  name: string;
  /** The part it leads to. */
  part: string;
  namespace: string;
  host: string;
  exposure: Exposure;
  rules: readonly RouteRule[];
};

type RouteRule = {
  service: string;
  /** Port of the Service. */
  port: number;
  /** Path that is cut off before the Service sees the request. */
  prefix?: string;
  healthPath: string;
};

/** Everything that is reached from outside of the cluster. */
export function routesOf(plan: Plan): PlatformRoute[] {
  const routes: PlatformRoute[] = partsOf(plan).flatMap((part) =>
    part.routes.map(({ name, namespace, host, service, port, exposure, healthPath }) => ({
      name,
      part: part.name,
      namespace,
      host,
      exposure,
      rules: [{ service, port, healthPath }],
    })),
  );
  const models = modelRoute(plan);
  return models === undefined ? routes : [...routes, models];
}

/** One host for all models, each below its name: `https://models.<domain>/<model>/v2/models/<model>/infer`. */
function modelRoute({ environment }: Plan): PlatformRoute | undefined {
  const { serving } = environment;
  if (serving.engine !== "kserve" || serving.mode !== "standard" || serving.exposure.kind === "cluster")
    return undefined;
  if (serving.models.length === 0) return undefined;
  return {
    name: "models",
    part: "models",
    namespace: serving.namespace,
    host: hostsOf(environment).models,
    exposure: serving.exposure,
    rules: serving.models.map(({ name }) => ({
      service: `${name}-predictor`,
      port: 80,
      prefix: `/${name}`,
      healthPath: "/v2/health/ready",
    })),
  };
}

/** Name of the listener for plain HTTP, which redirects and answers challenges. */
export const httpListener = "http";

/**
 * Name of the Gateway that has the listener for plain HTTP. GKE brings a Gateway up only when all its certificates are
 * there, and the certificates come over HTTP: there it is a Gateway of its own, at the same address.
 */
export const httpGatewayName = ({ environment }: Plan): string =>
  environment.gateway.engine === "gke" ? `${gatewayName}-http` : gatewayName;
