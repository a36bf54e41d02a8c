import { ref, template, type Reason } from "../resource.ts";
import {
  readBlock,
  resourceBlock,
  type Block,
  type ModuleInput,
  type ModuleOutput,
  type TerraformModule,
} from "../terraform-module.ts";
import { identityBlocks, identityOutputs } from "./identities.ts";
import { because, type Scope } from "./scope.ts";
import { cloudInputs, keepsSecrets, secretBlocks, secretOutputs } from "./secrets.ts";

/** `modules/security`: keys, service accounts, and the entries of Secret Manager. */
export function securityModule(scope: Scope): TerraformModule {
  const secrets = keepsSecrets(scope);
  return {
    name: "security",
    comment: "Keys, service accounts, and the entries of Secret Manager with who may read each.",
    because: [because("target.kind", "Nobody has more rights than the work needs.")],
    providers: secrets ? ["google", "random"] : ["google"],
    inputs: [...inputsOf(scope), ...cloudInputs(scope)],
    outputs: [
      ...(scope.ownKeys ? keyOutputs(scope) : []),
      ...identityOutputs(scope),
      ...secretOutputs(scope),
    ],
    files: {
      ...(scope.ownKeys ? { "keys.tf": keyBlocks(scope) } : {}),
      "main.tf": identityBlocks(scope),
      ...(secrets ? { "secrets.tf": secretBlocks(scope) } : {}),
    },
    dependsOn: [ref("google_project_service.enabled")],
  };
}

function inputsOf(scope: Scope): ModuleInput[] {
  const inputs: ModuleInput[] = [];
  if (scope.ownKeys || keepsSecrets(scope)) {
    inputs.push({
      name: "project_number",
      type: "string",
      description: "Number of the project, which the names of Google's own accounts have",
      value: ref("data.google_project.current.number"),
    });
  }
  if (keepsSecrets(scope)) {
    inputs.push({
      name: "secret_versions",
      type: "map(number)",
      description: "Generated entries that are to get a new value, with a number that was raised",
      value: ref("var.secret_versions"),
    });
  }
  if (usesPool(scope)) {
    inputs.push({
      name: "workload_pool",
      type: "string",
      description: "Identities of the cluster's service accounts",
      value: ref("module.gke.workload_pool"),
    });
  }
  return inputs;
}

const usesPool = (scope: Scope): boolean =>
  keepsSecrets(scope) ||
  identityBlocks(scope).some(({ block }) => block.labels[0] === "google_service_account_iam_member");

type Key = {
  id: "cluster" | "storage";
  ring: "main" | "storage";
  agent: ReturnType<typeof ref>;
  reasons: Reason[];
};

function keysOf({ environment, multiRegion }: Scope): Key[] {
  const keys: Key[] = [
    {
      id: "cluster",
      ring: "main",
      agent: template`serviceAccount:service-${ref("var.project_number")}@container-engine-robot.iam.gserviceaccount.com`,
      reasons: [because("tier", "Secrets are encrypted once more in the control plane.")],
    },
  ];
  if (environment.objectStore.engine === "gcs") {
    keys.push({
      id: "storage",
      // A bucket in two regions takes a key of the multi-region: one of a single region would go with it.
      ring: multiRegion === undefined ? "main" : "storage",
      agent: ref("data.google_storage_project_service_account.current.member"),
      reasons: [because("objectStore.engine", "Buckets are encrypted with a key of our own.")],
    });
  }
  return keys;
}

const KEY_PERIOD = "7776000s";

function keyBlocks(scope: Scope): Block[] {
  const { prefix, target, multiRegion } = scope;
  const keys = keysOf(scope);
  const blocks = [
    resourceBlock(
      "google_kms_key_ring.main",
      { name: prefix, location: target.region },
      {
        because: [because("target.region", "Keys are where what they encrypt is.")],
        comment: "Rings and keys can never be deleted, and their names never be used again.",
      },
    ),
  ];
  if (multiRegion !== undefined && keys.some(({ ring }) => ring === "storage")) {
    blocks.push(
      resourceBlock(
        "google_kms_key_ring.storage",
        { name: `${prefix}-storage`, location: multiRegion.kms },
        {
          because: [
            because("target.backupRegion", "A bucket in two regions takes a key of their multi-region."),
          ],
        },
      ),
    );
  }
  if (keys.some(({ id }) => id === "storage")) {
    blocks.push(
      readBlock(
        { data: "google_storage_project_service_account.current" },
        {},
        {
          because: [because("objectStore.engine", "Cloud Storage encrypts and decrypts as this account.")],
          comment: "Google makes this account when it is asked for first.",
        },
      ),
    );
  }
  return [...blocks, ...keys.flatMap(keyBlock)];
}

const keyBlock = ({ id, ring, agent, reasons }: Key): Block[] => [
  resourceBlock(
    `google_kms_crypto_key.${id}`,
    {
      name: id,
      key_ring: ref(`google_kms_key_ring.${ring}.id`),
      purpose: "ENCRYPT_DECRYPT",
      rotation_period: KEY_PERIOD,
      lifecycle: { prevent_destroy: true },
    },
    {
      because: reasons,
      notes: {
        rotation_period: "90 days. Older versions go on decrypting what they encrypted.",
        lifecycle: "Without the key, what it encrypted is gone.",
      },
    },
  ),
  resourceBlock(
    `google_kms_crypto_key_iam_member.${id}`,
    {
      crypto_key_id: ref(`google_kms_crypto_key.${id}.id`),
      role: "roles/cloudkms.cryptoKeyEncrypterDecrypter",
      member: agent,
    },
    { because: reasons },
  ),
];

const keyOutputs = (scope: Scope): ModuleOutput[] =>
  keysOf(scope).map(({ id }) => ({
    name: `${id}_key`,
    description: `Id of the key ${id}, once Google's account may use it`,
    value: ref(`google_kms_crypto_key.${id}.id`),
    after: [ref(`google_kms_crypto_key_iam_member.${id}`)],
  }));
