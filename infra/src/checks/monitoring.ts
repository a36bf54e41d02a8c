import type { SpecRule } from "./check.ts";

/** Rules on what watches an environment. */

const noneInProduction: SpecRule = {
  id: "monitoring/none-in-production",
  severity: "warning",
  covers: [],
  title: "Production that nobody watches",
  why: "Failed backups, certificates that end and full disks are silent until they are not.",
  check: ({ tier, monitoring }) =>
    tier !== "production" || monitoring.engine !== "none"
      ? []
      : [
          {
            path: ["monitoring", "engine"],
            message: "there are neither metrics nor alerts in production",
            remedy: 'Set monitoring.engine: "prometheus-operator", or "managed" on Google Cloud.',
          },
        ],
};

const retentionWithoutSpace: SpecRule = {
  id: "monitoring/storage",
  severity: "error",
  covers: [],
  title: "Storage of metrics that is no size",
  why: "The volume of Prometheus is claimed with this size: the API server refuses what is no quantity.",
  check: ({ monitoring }) =>
    monitoring.engine !== "prometheus-operator" || /^[1-9]\d*(Mi|Gi|Ti)$/.test(monitoring.storage)
      ? []
      : [
          {
            path: ["monitoring", "storage"],
            message: `monitoring.storage is "${monitoring.storage}", which is no size`,
            remedy: 'Write a number with Mi, Gi or Ti, for example "20Gi", or leave it out.',
          },
        ],
};

export const monitoringRules: readonly SpecRule[] = [noneInProduction, retentionWithoutSpace];
