import type { Environment } from "../spec/platform.ts";
import type { StateBackend } from "../spec/state.ts";
import type { Reason, TerraformBody, TerraformResource } from "./resource.ts";
import { terraformProviders, terraformVersion, type ProviderName } from "./versions.ts";

/** The Terraform roots, in the order they are applied. Each has a state of its own. */
export type Stage = "cluster" | "platform" | "stacks";

/** Folder of a stage below the output folder. */
export const stageFolder = (stage: Stage): string => `terraform/${stage}`;

/** Whether this environment has a stage that makes the cluster. An existing one is only used. */
export const hasClusterStage = ({ target }: Environment): boolean => target.kind !== "kubernetes";

/** Outputs of the cluster stage that the platform stage reads. */
export const handOver = {
  /** Address of the Kubernetes API (Google Cloud). */
  clusterEndpoint: "cluster_endpoint",
  /** Values of Secrets by the name of their entry (Civo). */
  secrets: "secrets",
  /** Private addresses of databases by component (Civo). */
  databaseAddresses: "database_addresses",
} as const;

const reason: Reason = {
  setting: "stateBackend",
  why: "The state of each environment and stage is kept apart, so that one cannot harm another.",
};

/** `backend.tf`: where the state of a stage is. A backend takes no variables, so all of it stands there. */
export function backendResource(environment: Environment, stage: Stage): TerraformResource {
  const { stateBackend } = environment;
  return {
    kind: "terraform",
    file: `${stageFolder(stage)}/backend.tf`,
    because: [reason],
    comment: NOTES[stateBackend.kind],
    notes: { "backend.use_lockfile": "Two runs at a time are kept apart by a conditional write." },
    block: {
      type: "terraform",
      labels: [],
      body: { backend: { [stateBackend.kind]: stateOf(environment, stage) } },
    },
  };
}

const NOTES: Record<StateBackend["kind"], string> = {
  gcs: "The state holds credentials: only those who run Terraform may read the bucket. It is locked by itself;\nturn on object versioning, which keeps the states before.",
  s3: "The state holds credentials: only those who run Terraform may read the bucket. Keys of the bucket come\nfrom AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. The bucket exists before the first `terraform init`.",
  kubernetes:
    "The state is a Secret of the cluster, locked by a Lease. The cluster is the one of KUBE_CONFIG_PATH,\nand the namespace exists before the first `terraform init`.",
  local:
    "The state lies beside these files: for one person on one machine. It holds credentials and is ignored by Git.",
};

/** The settings of the backend, which `terraform_remote_state` takes in the same form. */
export function stateOf({ platform, name, stateBackend }: Environment, stage: Stage): TerraformBody {
  const path = `${platform}/${name}/${stage}`;
  switch (stateBackend.kind) {
    case "gcs":
      return { bucket: stateBackend.bucket, prefix: path };
    case "s3":
      return {
        bucket: stateBackend.bucket,
        key: `${path}.tfstate`,
        region: stateBackend.region,
        use_lockfile: true,
        ...(stateBackend.endpoint === undefined
          ? { encrypt: true }
          : {
              endpoints: { s3: stateBackend.endpoint },
              use_path_style: true,
              skip_credentials_validation: true,
              skip_metadata_api_check: true,
              skip_region_validation: true,
              skip_requesting_account_id: true,
              skip_s3_checksum: true,
            }),
      };
    case "kubernetes":
      return { secret_suffix: `${platform}-${name}-${stage}`, namespace: stateBackend.namespace };
    case "local":
      return { path: "terraform.tfstate" };
  }
}

/** Reads the outputs of an earlier stage. */
export function remoteState(environment: Environment, from: Stage, into: Stage): TerraformResource {
  const { stateBackend } = environment;
  return {
    kind: "terraform",
    file: `${stageFolder(into)}/main.tf`,
    because: [
      reason,
      { setting: "target", why: `What stage ${into} needs of ${from} comes from its state, not by hand.` },
    ],
    comment: `What stage \`${from}\` made.`,
    block: {
      type: "data",
      labels: ["terraform_remote_state", from],
      body: {
        backend: stateBackend.kind,
        config:
          stateBackend.kind === "local"
            ? { path: `../${from}/terraform.tfstate` }
            : stateOf(environment, from),
      },
    },
  };
}

/** `versions.tf`: Terraform and its providers. */
export function versionsResource(
  environment: Environment,
  folder: string,
  names: readonly ProviderName[],
): TerraformResource {
  const sorted = [...names].sort();
  return {
    kind: "terraform",
    file: `${folder}/versions.tf`,
    because: [{ setting: "target.kind", why: `${environment.target.kind} decides the providers.` }],
    block: {
      type: "terraform",
      labels: [],
      body: {
        required_version: terraformVersion,
        required_providers: Object.fromEntries(sorted.map((name) => [name, { ...terraformProviders[name] }])),
      },
    },
  };
}
