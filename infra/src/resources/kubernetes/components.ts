import type { Plan } from "../../plan.ts";
import type { Resource } from "../resource.ts";
import { databaseResources } from "./databases.ts";
import { minioResources } from "./minio.ts";
import { modelResources } from "./models.ts";
import { trackingResources } from "./tracking.ts";
import { zenmlResources } from "./zenml.ts";

/** The components and what holds their state: `k8s-manifests/base/mlops` and the overlays on it. */
export const componentResources = (plan: Plan): Resource[] => [
  ...minioResources(plan),
  ...databaseResources(plan),
  ...trackingResources(plan),
  ...zenmlResources(plan),
  ...modelResources(plan),
];
