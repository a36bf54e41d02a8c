import { commonLabels } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { DocumentResource, Reason } from "../resource.ts";
import { overlayFolder } from "./part.ts";

/** Folder of a part of the platform that is the same in every environment. */
export const platformBase = (part: string): string => `k8s-manifests/base/platform/${part}`;

type Folders = {
  part: string;
  /** Files of the base; none when the environments have nothing in common. */
  base?: readonly string[];
  /** Files of the overlay. */
  overlay?: readonly string[];
  because: readonly Reason[];
};

/** The kustomizations of a part: its base, and the overlay of this environment on top of it. */
export function platformOverlay(
  plan: Plan,
  { part, base = [], overlay = [], because }: Folders,
): DocumentResource[] {
  const { environment } = plan;
  const kustomization = (file: string, value: object): DocumentResource => ({
    kind: "document",
    file: `${file}/kustomization.yaml`,
    because,
    value: { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", ...value },
  });
  return [
    ...(base.length === 0 ? [] : [kustomization(platformBase(part), { resources: base })]),
    kustomization(overlayFolder(plan, part), {
      resources: [...(base.length === 0 ? [] : [`../../../base/platform/${part}`]), ...overlay],
      labels: [{ pairs: commonLabels(environment) }],
    }),
  ];
}
