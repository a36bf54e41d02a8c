import { componentLabels, namespaces } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { Reason, Resource } from "../resource.ts";
import { knativeVersion } from "../versions.ts";
import { overlayFolder } from "./part.ts";
import { platformOverlay } from "./platform-folders.ts";

/** Knative Serving, which its operator installs: only where models are to scale to zero. */
export function knativeServing(plan: Plan): Resource[] {
  const { serving, tier } = plan.environment;
  if (serving.engine !== "kserve" || serving.mode !== "knative") return [];
  const part = "knative-serving";
  const because: Reason[] = [
    { setting: "serving.mode", why: "Knative starts and stops models by their requests" },
  ];
  return [
    {
      kind: "manifest",
      file: `${overlayFolder(plan, part)}/knative-serving.yaml`,
      because,
      object: {
        apiVersion: "operator.knative.dev/v1beta1",
        kind: "KnativeServing",
        metadata: {
          name: part,
          namespace: namespaces.knative,
          labels: componentLabels(plan.environment, part),
        },
        spec: {
          version: knativeVersion,
          "high-availability": { replicas: tier === "production" ? 2 : 1 },
          ingress: { kourier: { enabled: true, "service-type": "ClusterIP" } },
          config: {
            network: { "ingress-class": "kourier.ingress.networking.knative.dev" },
            features: {
              "kubernetes.podspec-nodeselector": "enabled",
              "kubernetes.podspec-tolerations": "enabled",
              "kubernetes.podspec-affinity": "enabled",
              "kubernetes.podspec-securitycontext": "enabled",
            },
          },
        },
      },
      notes: {
        "spec.ingress.kourier.service-type": "A load balancer of its own would be a second way in.",
        "spec.config.features": "Off by default: models on nodes with accelerators need them.",
      },
    },
    ...platformOverlay(plan, { part, overlay: ["knative-serving.yaml"], because }),
  ];
}
