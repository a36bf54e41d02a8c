import type { SpecRule } from "./check.ts";

/** Rules on the place that secrets are copied from. */

const otherProject: SpecRule = {
  id: "secrets/store-in-other-project",
  severity: "warning",
  covers: ["E49"],
  title: "Secrets in another project than the cluster",
  why: "Terraform makes the entries, and lets the cluster's accounts read them, in the project of the target. In another project somebody does both by hand.",
  check: ({ secrets, target }) =>
    secrets.engine !== "external-secrets" ||
    secrets.store.kind !== "gcp-secret-manager" ||
    target.kind !== "gcp" ||
    secrets.store.project === target.project
      ? []
      : [
          {
            path: ["secrets", "store", "project"],
            message: `secrets are in the project ${secrets.store.project}, the cluster in ${target.project}`,
            remedy: `Set it to "${target.project}", or leave it when the entries and the right to read them are made in the other project.`,
          },
        ],
};

export const secretStoreRules: readonly SpecRule[] = [otherProject];
