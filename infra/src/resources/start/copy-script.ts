import type { Plan } from "../../plan.ts";
import { copyBucket, hasStorage } from "../civo/storage.ts";
import { handOver, stageFolder } from "../terraform-state.ts";

/** Whether there is a bucket in Civo's backup region that artifacts are copied to. */
export const copiesArtifacts = (plan: Plan): boolean => {
  const { target } = plan.environment;
  return target.kind === "civo" && target.backupRegion !== undefined && hasStorage(plan);
};

/** `scripts/copy-artifacts.sh`: Civo copies no bucket by itself. */
export function copyScript(plan: Plan): string {
  const { prefix, buckets, store, backupStore } = plan;
  return `#!/usr/bin/env bash
# Copies artifacts into the bucket of the backup region, for \`make copy-artifacts\`. What was deleted here stays there.
# Keys come from the state of stage cluster, by the environment: they show in no list of processes.
set -euo pipefail
cd "$(dirname "\${BASH_SOURCE[0]}")/.."

keys="$(terraform -chdir=${stageFolder("cluster")} output -json ${handOver.secrets})"
key() { jq --exit-status --raw-output --arg entry "$1" '.[$entry]' <<<"$keys"; }

export RCLONE_CONFIG_FROM_TYPE=s3 RCLONE_CONFIG_FROM_PROVIDER=Other
export RCLONE_CONFIG_FROM_ENDPOINT=${store.endpoint}
RCLONE_CONFIG_FROM_ACCESS_KEY_ID="$(key ${prefix}-tracking-object-store-id)"
RCLONE_CONFIG_FROM_SECRET_ACCESS_KEY="$(key ${prefix}-tracking-object-store-secret)"

export RCLONE_CONFIG_TO_TYPE=s3 RCLONE_CONFIG_TO_PROVIDER=Other
export RCLONE_CONFIG_TO_ENDPOINT=${backupStore.endpoint}
RCLONE_CONFIG_TO_ACCESS_KEY_ID="$(key ${prefix}-copies-object-store-id)"
RCLONE_CONFIG_TO_SECRET_ACCESS_KEY="$(key ${prefix}-copies-object-store-secret)"

export RCLONE_CONFIG_FROM_ACCESS_KEY_ID RCLONE_CONFIG_FROM_SECRET_ACCESS_KEY
export RCLONE_CONFIG_TO_ACCESS_KEY_ID RCLONE_CONFIG_TO_SECRET_ACCESS_KEY

rclone copy from:${buckets.artifacts} to:${copyBucket(plan)} --fast-list --s3-no-check-bucket
`;
}
