import type { SpecRule } from "./check.ts";

/** Rules on where the state of Terraform is. */

const stateInOwnCluster: SpecRule = {
  id: "terraform/state-in-own-cluster",
  severity: "error",
  covers: [],
  title: "The state of a cluster within that cluster",
  why: "Stage cluster makes the cluster: its state must be somewhere before, and still when the cluster is lost.",
  check: ({ target, stateBackend }) =>
    target.kind === "kubernetes" || stateBackend.kind !== "kubernetes"
      ? []
      : [
          {
            path: ["stateBackend", "kind"],
            message: `the state of the cluster at ${target.kind} cannot be in a cluster that does not exist yet`,
            remedy:
              target.kind === "gcp"
                ? 'Use { kind: "gcs", bucket: "..." }, or leave stateBackend out.'
                : 'Use { kind: "s3", ... }, or leave stateBackend out.',
          },
        ],
};

const localState: SpecRule = {
  id: "terraform/local-state",
  severity: "error",
  covers: [],
  title: "The state on one machine",
  why: "Whoever runs Terraform elsewhere makes everything a second time, and with the machine the state is lost.",
  check: ({ tier, stateBackend }) =>
    tier === "development" || stateBackend.kind !== "local"
      ? []
      : [
          {
            path: ["stateBackend", "kind"],
            message: `the Terraform state of a ${tier} environment would lie on one machine`,
            remedy:
              'Use { kind: "gcs" }, { kind: "s3" } or { kind: "kubernetes" }, or leave stateBackend out.',
          },
        ],
};

export const stateBackendRules: readonly SpecRule[] = [stateInOwnCluster, localState];
