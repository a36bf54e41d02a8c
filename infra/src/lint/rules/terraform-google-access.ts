import { distance } from "fastest-levenshtein";
import { references } from "../../hcl/references.ts";
import type { Problem, Rule } from "../rule.ts";
import {
  argument,
  blocksOfKind,
  isUnknown,
  known,
  knownText,
  resourcesIn,
  resourcesOf,
} from "../terraform-view.ts";
import { codeLines } from "../text-lines.ts";
import type { Workspace } from "../workspace.ts";
import { admitsMajor } from "../../schemas/terraform-index.ts";
import { providerSchema } from "../../schemas/terraform-providers.ts";

/** Words that many platforms have in common: a name made of them alone is somebody else's already. */
const common =
  /^(?:ai|app|apps|archive|artifact|artifacts|backend|backup|backups|bucket|cache|data|dataset|datasets|dev|development|docs|dvc|eu|experiments|files|gcs|k8s|kserve|kubeflow|logs|main|minio|ml|mlflow|mlops|model|models|my|pipeline|pipelines|platform|plinth|prod|production|qa|registry|s3|stack|staging|stage|state|static|storage|store|terraform|test|tf|tfstate|tmp|us|zenml|\d{1,2})$/;

const isCommon = (name: string): boolean => name.split(/[-_.]/).every((word) => common.test(word));

function* bucketNames(workspace: Workspace): Iterable<Problem> {
  for (const { file, block, address, index, line: start } of resourcesOf(
    workspace,
    "google_storage_bucket",
  )) {
    const name = knownText(index, block.body, "name");
    const line = argument(block.body, "name")?.line ?? start;
    if (name === undefined) continue;
    if (/[A-Z]/.test(name) || !/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(name))
      yield {
        file,
        line,
        message: `${JSON.stringify(name)} is no name for a bucket (${address}): the API refuses it, \`validate\` and \`plan\` do not`,
        remedy: "Use lower-case letters, digits and hyphens, 3 to 63 characters.",
      };
    else if (name.includes("_"))
      yield {
        file,
        line,
        severity: "warning",
        message: `The bucket name ${JSON.stringify(name)} (${address}) has an underscore: it is no host name, so clients that address buckets by host fail`,
        remedy: "Use hyphens.",
      };
    if (isCommon(name))
      yield {
        file,
        line,
        message: `The bucket name ${JSON.stringify(name)} (${address}) is one that others will have taken: names of buckets are global`,
      };
  }
}

const wideRoles: Readonly<Record<string, string>> = {
  "roles/owner": "everything in the project",
  "roles/editor": "nearly everything in the project",
  "roles/storage.admin": "every bucket of the project, Terraform's state with them",
  "roles/storage.objectAdmin": "the objects of every bucket of the project, Terraform's state with them",
  "roles/storage.objectUser": "the objects of every bucket of the project, Terraform's state with them",
  "roles/storage.objectViewer": "the objects of every bucket of the project, Terraform's state with them",
  "roles/secretmanager.admin": "every secret of the project",
  "roles/secretmanager.secretAccessor": "every secret of the project",
};

function* wideBindings(workspace: Workspace): Iterable<Problem> {
  const usesConnector = [...codeLines(workspace)].some(({ text }) =>
    /cloud[-_]?sql[-_](?:auth[-_])?(?:proxy|connector|python-connector)/i.test(text),
  );
  for (const { file, block, index, address, line: start } of resourcesOf(
    workspace,
    "google_project_iam_member",
  )) {
    const line = argument(block.body, "role")?.line ?? start;
    // One binding for each of a list of roles shows them in for_each.
    for (const role of rolesOf(known(index, block.body, "role"), known(index, block.body, "for_each"))) {
      const reach = wideRoles[role];
      if (
        reach !== undefined &&
        argument(block.body, "condition") === undefined &&
        !block.body.blocks.some(({ type }) => type === "condition")
      )
        yield {
          file,
          line,
          message: `${address} gives ${role} on the project: ${reach}`,
          remedy: remedyFor(role),
        };
      else if (role === "roles/cloudsql.client" && !usesConnector)
        yield {
          file,
          line,
          severity: "info",
          message: `${address} gives ${role}, which only the Auth Proxy and the connectors need: nothing here uses them`,
          remedy: "Take it out: over a private address the password alone lets in.",
        };
      else if (!/^(?:roles\/|(?:projects|organizations)\/[^/]+\/roles\/)[A-Za-z0-9_.]+$/.test(role))
        yield {
          file,
          line,
          severity: "error",
          message: `${JSON.stringify(role)} is no role (${address}): \`plan\` passes, the API refuses it`,
          remedy: "Write roles/<service>.<role>, or the full name of a role of your own.",
        };
    }
  }
}

function rolesOf(role: unknown, each: unknown): string[] {
  if (typeof role === "string" && !isUnknown(role)) return [role];
  const isEach = typeof role === "object" && JSON.stringify(role).includes("each.");
  return isEach && Array.isArray(each)
    ? each.filter((one) => typeof one === "string" && !isUnknown(one))
    : [];
}

const remedyFor = (role: string): string =>
  role.startsWith("roles/storage")
    ? "Bind it on the bucket: google_storage_bucket_iam_member with roles/storage.objectUser."
    : role.startsWith("roles/secretmanager")
      ? "Bind it on the secret: google_secret_manager_secret_iam_member, or add a condition on the resource's name."
      : "Give the roles that are needed, each where it is needed.";

function* carelessBuckets(workspace: Workspace): Iterable<Problem> {
  for (const { file, block, address, index } of resourcesOf(workspace, "google_storage_bucket")) {
    const written = argument(block.body, "force_destroy");
    if (written === undefined || known(index, block.body, "force_destroy") !== true) continue;
    yield {
      file,
      line: written.line,
      message: `force_destroy = true: \`terraform destroy\`, or a change that replaces ${address}, deletes every object in it`,
    };
  }
}

/** Roles of the services that a platform uses, to tell a slip from a role that we do not know. */
const roles: Readonly<Record<string, string>> = {
  artifactregistry: "admin reader writer repoAdmin createOnPushWriter createOnPushRepoAdmin",
  cloudkms:
    "admin cryptoKeyEncrypterDecrypter cryptoKeyEncrypter cryptoKeyDecrypter viewer publicKeyViewer signer verifier",
  cloudsql: "admin client editor viewer instanceUser",
  container: "admin clusterAdmin clusterViewer developer viewer defaultNodeServiceAccount",
  dns: "admin reader",
  gkebackup: "admin viewer backupAdmin restoreAdmin delegatedBackupAdmin delegatedRestoreAdmin",
  iam: "workloadIdentityUser workloadIdentityPoolAdmin serviceAccountUser serviceAccountTokenCreator serviceAccountAdmin serviceAccountKeyAdmin serviceAccountOpenIdTokenCreator",
  logging: "admin logWriter viewer configWriter privateLogViewer bucketWriter",
  monitoring: "admin editor viewer metricWriter alertPolicyEditor dashboardEditor",
  secretmanager: "admin secretAccessor secretVersionAdder secretVersionManager viewer",
  storage:
    "admin objectAdmin objectCreator objectUser objectViewer hmacKeyAdmin bucketViewer legacyBucketOwner legacyBucketReader legacyBucketWriter legacyObjectOwner legacyObjectReader",
};

function* misspeltRoles(workspace: Workspace): Iterable<Problem> {
  for (const { file, type, block, index, line: start } of resourcesOf(workspace)) {
    if (!/^google_.*_iam_(?:member|binding)$/.test(type)) continue;
    const line = argument(block.body, "role")?.line ?? start;
    for (const role of rolesOf(known(index, block.body, "role"), known(index, block.body, "for_each"))) {
      const [, service = "", name = ""] = /^roles\/(\w+)\.(\w+)$/.exec(role) ?? [];
      const all = Object.hasOwn(roles, service) ? (roles[service]?.split(" ") ?? []) : [];
      const meant =
        all.includes(name) || name.length < 5 ? undefined : all.find((one) => distance(one, name) <= 2);
      if (meant !== undefined)
        yield {
          file,
          line,
          message: `There is no role ${role}: \`validate\` and \`plan\` pass, the API refuses it`,
          remedy: `Did you mean "roles/${service}.${meant}"?`,
        };
    }
  }
}

function* accountKeys(workspace: Workspace): Iterable<Problem> {
  for (const module of workspace.modules)
    for (const { file, body } of module.files)
      for (const { root, steps, line } of references(body))
        if (
          root === "google_service_account_key" &&
          steps.includes("private_key") &&
          resourcesIn(module, root).length === 0
        )
          yield {
            file,
            line,
            message:
              "The private half of a service account key: it does not expire, and stands in the state in clear",
          };
  for (const { file, line, address } of resourcesOf(workspace, "google_service_account_key"))
    yield {
      file,
      line,
      message: `${address} is a key that does not expire, and stands in the state in clear`,
    };
}

/** Reads `~> 5.0` and other constraints that keep the release of today out. */
function* oldProviders(workspace: Workspace): Iterable<Problem> {
  for (const { file, block } of blocksOfKind(workspace, "terraform"))
    for (const providers of block.body.blocks.filter(({ type }) => type === "required_providers"))
      for (const { name, value, line } of providers.body.attributes) {
        const version = providerSchema(name)?.version;
        const constraint =
          value.kind === "object"
            ? argumentOf(value.items, "version")
            : value.kind === "literal"
              ? value.value
              : undefined;
        if (version === undefined || typeof constraint !== "string" || admitsMajor(constraint, version))
          continue;
        yield {
          file,
          line,
          message: `The provider ${name} is held at ${JSON.stringify(constraint)}; the release of today is ${version}, and files for the one do not pass with the other`,
        };
      }
}

function argumentOf(
  items: readonly { key: unknown; value: { kind: string; value?: unknown } }[],
  name: string,
): unknown {
  const item = items.find(
    ({ key }) => typeof key === "object" && key !== null && "value" in key && key.value === name,
  );
  return item?.value.kind === "literal" ? item.value.value : undefined;
}

function* copiedModules(workspace: Workspace): Iterable<Problem> {
  for (const { file, block } of blocksOfKind(workspace, "module")) {
    const source = argument(block.body, "source");
    const value = source?.expression.kind === "literal" ? source.expression.value : undefined;
    if (source !== undefined && typeof value === "string" && /\bzenml-stack\b/.test(value))
      yield {
        file,
        line: source.line,
        message: `The module ${value} sets force_destroy on its bucket and makes a service account key where ZenML Pro is not used`,
      };
  }
}

/** Names, roles and keys in Google Cloud. */
export const terraformGoogleAccessRules: readonly Rule[] = [
  {
    id: "google/bucket-name",
    severity: "error",
    covers: ["E46"],
    title: "a bucket name that is taken, or none",
    why: "Names of buckets are shared by all projects of the world: a fixed, common name can be made once. The provider checks neither that nor the form.",
    remedy: 'Put the project\'s id or number into it, or a random suffix: "${var.project_id}-models".',
    check: bucketNames,
  },
  {
    id: "google/wide-role",
    severity: "warning",
    covers: ["E49"],
    title: "a role on the project that is needed on one resource",
    why: "Whoever gets hold of the account gets all of it: other teams' models, all secrets, the state of Terraform.",
    remedy: "Bind the role on the bucket, the secret or the key.",
    check: wideBindings,
  },
  {
    id: "google/unknown-role",
    severity: "error",
    covers: [],
    title: "a role that does not exist",
    why: "The provider does not know the roles there are; the API refuses the binding.",
    remedy: "Write the role as the service lists it.",
    check: misspeltRoles,
  },
  {
    id: "google/force-destroy",
    severity: "warning",
    covers: ["E60"],
    title: "a bucket that is deleted with all objects in it",
    why: "One wrong plan is enough; versions and soft delete do not help, for the bucket itself is gone.",
    remedy: "Leave force_destroy at false; empty a bucket on purpose before it is destroyed.",
    check: carelessBuckets,
  },
  {
    id: "google/service-account-key",
    severity: "warning",
    covers: ["E54", "E60"],
    title: "a service account key",
    why: "It is valid for ten years, is not bound to a machine, and its private half stands in the state.",
    remedy:
      "Use Workload Identity within Google Cloud, workload identity federation (external-account) from outside.",
    check: accountKeys,
  },
  {
    id: "terraform/old-provider",
    severity: "warning",
    covers: ["E60"],
    title: "a provider held at an old major version",
    why: "Major versions take arguments out: what is written for one is refused by the other, and modules that want different ones cannot be used together.",
    remedy: "Move to the major version of today by the provider's upgrade guide.",
    check: oldProviders,
  },
  {
    id: "zenml/stack-module",
    severity: "warning",
    covers: ["E60"],
    title: "ZenML's own stack module, taken as it is",
    why: "It is made for trying things out: force_destroy, old provider versions, keys.",
    remedy:
      "Write the few resources yourself: bucket, service account, zenml_service_connector, zenml_stack_component, zenml_stack.",
    check: copiedModules,
  },
];
