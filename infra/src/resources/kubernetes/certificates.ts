import { componentLabels } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { Reason, Resource } from "../resource.ts";
import { overlayFolder } from "./part.ts";
import { platformOverlay } from "./platform-folders.ts";
import { httpGatewayName, httpListener, routesOf } from "./routes.ts";

/** Name of the issuer that the Gateway's certificates come from. */
export const issuerName = ({ environment }: Plan): string => `letsencrypt-${environment.gateway.issuer}`;

const SERVERS = {
  production: "https://acme-v02.api.letsencrypt.org/directory",
  staging: "https://acme-staging-v02.api.letsencrypt.org/directory",
} as const;

/** Certificates of Let's Encrypt: cert-manager makes one for each listener of the Gateway. */
export function certificates(plan: Plan): Resource[] {
  if (routesOf(plan).length === 0) return [];
  const part = "certificates";
  const { gateway } = plan.environment;
  const because: Reason[] = [
    { setting: "gateway.issuer", why: `certificates of Let's Encrypt's ${gateway.issuer} environment` },
    { setting: "gateway.contact", why: "whom Let's Encrypt writes" },
  ];
  return [
    {
      kind: "manifest",
      file: `${overlayFolder(plan, part)}/issuer.yaml`,
      because,
      object: {
        apiVersion: "cert-manager.io/v1",
        kind: "ClusterIssuer",
        metadata: { name: issuerName(plan), labels: componentLabels(plan.environment, "cert-manager") },
        spec: {
          acme: {
            email: gateway.contact,
            server: SERVERS[gateway.issuer],
            privateKeySecretRef: { name: `${issuerName(plan)}-account` },
            solvers: [
              {
                http01: {
                  gatewayHTTPRoute: {
                    parentRefs: [
                      {
                        group: "gateway.networking.k8s.io",
                        kind: "Gateway",
                        name: httpGatewayName(plan),
                        namespace: gateway.namespace,
                        sectionName: httpListener,
                      },
                    ],
                  },
                },
              },
            ],
          },
        },
      },
    },
    ...platformOverlay(plan, { part, overlay: ["issuer.yaml"], because }),
  ];
}
