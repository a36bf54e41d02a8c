import type { Plan } from "../../plan.ts";
import { namespaces } from "../../names.ts";

/** A client of the object store, with a bucket of its own. */
export type BucketUser = {
  name: "backups" | "models" | "tracking";
  /** Begins the names of its keys in the Secret: `TRACKING_ACCESS_KEY_ID`. */
  variable: string;
  bucket: string;
  writes: boolean;
};

/** The clients that the environment has. KServe only reads models; people and pipelines put them there. */
export function bucketUsers({ environment, buckets }: Plan): BucketUser[] {
  const users: BucketUser[] = [
    { name: "tracking", variable: "TRACKING", bucket: buckets.artifacts, writes: true },
  ];
  if (environment.serving.engine === "kserve") {
    users.push({ name: "models", variable: "MODELS", bucket: buckets.models, writes: false });
  }
  if (environment.backup.enabled) {
    users.push({ name: "backups", variable: "BACKUPS", bucket: buckets.backups, writes: true });
  }
  return users;
}

/** What a user may do, in the language of S3's policies. */
export function userPolicy({ bucket, writes }: BucketUser): string {
  const policy = {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
        Resource: [`arn:aws:s3:::${bucket}`],
      },
      {
        Effect: "Allow",
        Action: writes
          ? [
              "s3:AbortMultipartUpload",
              "s3:DeleteObject",
              "s3:GetObject",
              "s3:ListMultipartUploadParts",
              "s3:PutObject",
            ]
          : ["s3:GetObject"],
        Resource: [`arn:aws:s3:::${bucket}/*`],
      },
    ],
  };
  return `${JSON.stringify(policy, undefined, 2)}\n`;
}

/** Makes buckets, policies and users, as often as it runs. */
export function bucketScript(plan: Plan): string {
  const users = bucketUsers(plan);
  const buckets = [...new Set([plan.buckets.artifacts, plan.buckets.models, plan.buckets.backups])];
  return `#!/bin/sh
set -eu

# The server may still be on its way up: the Job's deadline ends the wait.
until mc alias set store http://minio.${namespaces.objectStore}.svc.cluster.local:9000 "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD" >/dev/null; do
  sleep 2
done

${buckets.map((bucket) => `mc mb --ignore-existing store/${bucket}\nmc version enable store/${bucket}`).join("\n")}

# account NAME KEY SECRET: a user, by its access key, with the policy of its name. Attaching it again is an error, so
# that is asked for first.
account() {
  mc admin policy create store "$1" "/scripts/$1.json"
  mc admin user add store "$2" "$3"
  if ! mc admin user info store "$2" --json | grep -q "\\"policyName\\":.*$1"; then
    mc admin policy attach store "$1" --user "$2"
  fi
}

${users
  .map(
    ({ name, variable }) => `account ${name} "$${variable}_ACCESS_KEY_ID" "$${variable}_SECRET_ACCESS_KEY"`,
  )
  .join("\n")}
`;
}
