#!/usr/bin/env bash
# Copies artifacts into the bucket of the backup region, for `make copy-artifacts`. What was deleted here stays there.
# Keys come from the state of stage cluster, by the environment: they show in no list of processes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

keys="$(terraform -chdir=terraform/cluster output -json secrets)"
key() { jq --exit-status --raw-output --arg entry "$1" '.[$entry]' <<<"$keys"; }

export RCLONE_CONFIG_FROM_TYPE=s3 RCLONE_CONFIG_FROM_PROVIDER=Other
export RCLONE_CONFIG_FROM_ENDPOINT=https://objectstore.lon1.civo.com
RCLONE_CONFIG_FROM_ACCESS_KEY_ID="$(key acme-prod-tracking-object-store-id)"
RCLONE_CONFIG_FROM_SECRET_ACCESS_KEY="$(key acme-prod-tracking-object-store-secret)"

export RCLONE_CONFIG_TO_TYPE=s3 RCLONE_CONFIG_TO_PROVIDER=Other
export RCLONE_CONFIG_TO_ENDPOINT=https://objectstore.fra1.civo.com
RCLONE_CONFIG_TO_ACCESS_KEY_ID="$(key acme-prod-copies-object-store-id)"
RCLONE_CONFIG_TO_SECRET_ACCESS_KEY="$(key acme-prod-copies-object-store-secret)"

export RCLONE_CONFIG_FROM_ACCESS_KEY_ID RCLONE_CONFIG_FROM_SECRET_ACCESS_KEY
export RCLONE_CONFIG_TO_ACCESS_KEY_ID RCLONE_CONFIG_TO_SECRET_ACCESS_KEY

rclone copy from:acme-prod-artifacts to:acme-prod-artifacts-copy --fast-list --s3-no-check-bucket
