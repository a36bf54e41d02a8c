import { bucketsOf } from "../../names.ts";
import type { ObjectStore } from "../../spec/state.ts";
import { ref, template, type Reason, type TerraformBody } from "../resource.ts";
import {
  resourceBlock,
  type Block,
  type ModuleInput,
  type ModuleOutput,
  type TerraformModule,
} from "../terraform-module.ts";
import { identitiesOf } from "./identities.ts";
import { registryBlocks, registryOutputs } from "./registry.ts";
import { because, type Scope } from "./scope.ts";

/** `modules/storage`: buckets with who may use each, and the repository of images. */
export function storageModule(scope: Scope): TerraformModule {
  const store = bucketStore(scope);
  return {
    name: "storage",
    comment:
      store === undefined
        ? "Repository of images."
        : "Buckets with who may use each, and the repository of images.",
    because: [because("objectStore.engine", "Where artifacts, models and images are.")],
    providers: ["google"],
    inputs: [
      ...accountInputs(scope),
      ...(scope.ownKeys && store !== undefined ? [keyInput] : []),
      ...exportInputs(scope),
    ],
    outputs: [...(store === undefined ? [] : storeOutputs(scope)), ...registryOutputs(scope)],
    files: {
      ...(store === undefined
        ? {}
        : { "main.tf": [...buckets(scope, store), ...hmacKey(scope)], "iam.tf": accessBlocks(scope) }),
      [store === undefined ? "main.tf" : "registry.tf"]: registryBlocks(scope),
    },
    dependsOn: [ref("google_project_service.enabled")],
  };
}

type GcsStore = Extract<ObjectStore, { engine: "gcs" }>;

const bucketStore = ({ environment }: Scope): GcsStore | undefined =>
  environment.objectStore.engine === "gcs" ? environment.objectStore : undefined;

const accountInputs = (scope: Scope): ModuleInput[] =>
  identitiesOf(scope).map(({ user, display }) => {
    const name = user === "nodes" ? "node_service_account" : `${user}_service_account`;
    return {
      name,
      type: "string",
      description: `E-mail of the service account: ${display}`,
      value: ref(`module.security.${name}`),
    };
  });

const keyInput: ModuleInput = {
  name: "storage_key",
  type: "string",
  description: "Id of the key that objects are encrypted with",
  value: ref("module.security.storage_key"),
};

/** The instances export their databases into the bucket of backups as accounts of their own. */
const exportInputs = (scope: Scope): ModuleInput[] =>
  exporters(scope).map((id) => ({
    name: `${id}_instance_account`,
    type: "string",
    description: `E-mail of the account that the database of ${id} is exported as`,
    value: ref(`module.database.${id}_instance_account`),
  }));

const exporters = (scope: Scope): string[] =>
  bucketStore(scope) !== undefined && scope.environment.backup.enabled
    ? scope.databases.map(({ id }) => id)
    : [];

type BucketId = "artifacts" | "models" | "backups";

const bucketIds = ({ environment }: Scope): BucketId[] => [
  "artifacts",
  ...(environment.serving.engine === "kserve" ? (["models"] as const) : []),
  ...(environment.backup.enabled ? (["backups"] as const) : []),
];

const WHAT: Record<BucketId, Reason> = {
  artifacts: because("tracking.engine", "What runs log and pipelines hand on."),
  models: because("serving.engine", "What is served."),
  backups: because("backup.enabled", "Backups and exports of databases."),
};

const SECONDS_A_DAY = 86_400;

const buckets = (scope: Scope, store: GcsStore): Block[] =>
  bucketIds(scope).map((id) => {
    const names = bucketsOf(scope.environment);
    return resourceBlock(
      `google_storage_bucket.${id}`,
      {
        name: names[id],
        ...placeOf(scope),
        storage_class: store.storageClass,
        force_destroy: false,
        uniform_bucket_level_access: true,
        public_access_prevention: "enforced",
        versioning: { enabled: true },
        soft_delete_policy: { retention_duration_seconds: store.keepDeletedDays * SECONDS_A_DAY },
        ...(scope.ownKeys ? { encryption: { default_kms_key_name: ref("var.storage_key") } } : {}),
        lifecycle_rule: [
          {
            action: { type: "Delete" },
            condition: { days_since_noncurrent_time: store.keepDeletedDays, with_state: "ARCHIVED" },
          },
          { action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: 7 } },
        ],
      },
      {
        because: [
          WHAT[id],
          because("objectStore.storageClass", "What objects cost to keep and to read."),
          because("objectStore.keepDeletedDays", "How long what was replaced or deleted can be had back."),
          because("target.backupRegion", "With a second region, every object is in both."),
        ],
        notes: {
          ...(scope.multiRegion === undefined
            ? {}
            : { custom_placement_config: "Every object is in both regions." }),
          lifecycle_rule: "Replaced and deleted objects stay for a while, then go for good.",
        },
      },
    );
  });

function placeOf({ target, multiRegion }: Scope): TerraformBody {
  if (multiRegion === undefined || target.backupRegion === undefined) {
    return { location: target.region.toUpperCase() };
  }
  return {
    location: multiRegion.storage,
    custom_placement_config: {
      data_locations: [target.region, target.backupRegion].map((region) => region.toUpperCase()),
    },
  };
}

const hmacKey = ({ plan }: Scope): Block[] =>
  plan.tracking.name === "plinth"
    ? [
        resourceBlock(
          "google_storage_hmac_key.tracking",
          { service_account_email: ref("var.tracking_service_account") },
          {
            because: [
              because("tracking.engine", "Plinth speaks S3, which Cloud Storage takes with an HMAC key."),
            ],
          },
        ),
      ]
    : [];

type Access = { bucket: BucketId; user: string; role: string; why: Reason };

function accesses(scope: Scope): Access[] {
  const { environment } = scope;
  const has = new Set(identitiesOf(scope).map(({ user }) => user));
  const all: Access[] = [];
  const add = (access: Access): void => {
    if (bucketIds(scope).includes(access.bucket)) all.push(access);
  };
  add({ bucket: "artifacts", user: "tracking", role: "objectUser", why: WHAT.artifacts });
  if (has.has("zenml")) {
    const why = because("pipelines.engine", "Steps write artifacts, and models to serve.");
    add({ bucket: "artifacts", user: "zenml", role: "objectUser", why });
    add({ bucket: "models", user: "zenml", role: "objectUser", why });
  }
  if (has.has("models") && environment.serving.engine === "kserve") {
    add({ bucket: "models", user: "models", role: "objectViewer", why: WHAT.models });
    const { artifacts } = bucketsOf(environment);
    if (environment.serving.models.some(({ storage }) => storage.startsWith(`gs://${artifacts}/`))) {
      const why = because("serving.models", "Models are served from where they were logged.");
      add({ bucket: "artifacts", user: "models", role: "objectViewer", why });
    }
  }
  if (has.has("backups")) {
    add({ bucket: "backups", user: "backups", role: "objectUser", why: WHAT.backups });
    // Barman looks first whether the bucket is there.
    add({ bucket: "backups", user: "backups", role: "legacyBucketReader", why: WHAT.backups });
  }
  return all;
}

const accessBlocks = (scope: Scope): Block[] => [
  ...accesses(scope).map(({ bucket, user, role, why }) =>
    accessBlock({
      bucket,
      role,
      name: role === "legacyBucketReader" ? `${user}_bucket` : user,
      account: `var.${user}_service_account`,
      why,
    }),
  ),
  ...exporters(scope).map((id) =>
    accessBlock({
      bucket: "backups",
      role: "objectUser",
      name: `${id}_instance`,
      account: `var.${id}_instance_account`,
      why: because("backup.enabled", "`gcloud sql export` writes as the instance's own account."),
    }),
  ),
];

type Grant = { bucket: BucketId; role: string; name: string; account: string; why: Reason };

const accessBlock = ({ bucket, role, name, account, why }: Grant): Block =>
  resourceBlock(
    `google_storage_bucket_iam_member.${bucket}_${name}`,
    {
      bucket: ref(`google_storage_bucket.${bucket}.name`),
      role: `roles/storage.${role}`,
      member: template`serviceAccount:${ref(account)}`,
    },
    { because: [why] },
  );

const storeOutputs = (scope: Scope): ModuleOutput[] => [
  ...bucketIds(scope).map((id) => ({
    name: `${id}_bucket`,
    description: `Name of the bucket of ${id}`,
    value: ref(`google_storage_bucket.${id}.name`),
  })),
  ...(scope.plan.tracking.name === "plinth"
    ? [
        {
          name: "tracking_access_key_id",
          description: "Id of the HMAC key that Plinth reaches its bucket with",
          value: ref("google_storage_hmac_key.tracking.access_id"),
          sensitive: true,
        },
        {
          name: "tracking_secret_access_key",
          description: "Secret of that HMAC key",
          value: ref("google_storage_hmac_key.tracking.secret"),
          sensitive: true,
        },
      ]
    : []),
];

/** Buckets that there are, by what they hold. */
export const bucketOutputs = (scope: Scope): string[] =>
  bucketStore(scope) === undefined ? [] : bucketIds(scope);
