import type { HclBlock, HclBody } from "../hcl/syntax.ts";
import { checkBody, type MetaArguments } from "./terraform-body.ts";
import { nearest } from "./nearest.ts";
import type { Report } from "./terraform-problem.ts";
import type { AttributeSchema, BlockSchema, BodySchema, TerraformType } from "./terraform-providers.ts";

/** The blocks that Terraform itself knows, of version 1.11, in the shape of the providers' schemas. */

const optional = (type: TerraformType): AttributeSchema => ({ type, mode: "optional" });
const required = (type: TerraformType): AttributeSchema => ({ type, mode: "required" });
const block = (body: BodySchema, most?: number): BlockSchema => ({
  block: "list",
  body,
  ...(most === undefined ? {} : { max: most }),
});

const condition: BlockSchema = block({ condition: required("dynamic"), error_message: required("string") });
const reference = "dynamic";

const lifecycle = block(
  {
    create_before_destroy: optional("bool"),
    prevent_destroy: optional("bool"),
    ignore_changes: optional(reference),
    replace_triggered_by: optional(reference),
    precondition: condition,
    postcondition: condition,
  },
  1,
);

/** Blocks of a module by their type. Of `module` only what Terraform itself reads; the rest are variables of the module. */
const language: Readonly<Record<string, BodySchema>> = {
  variable: {
    type: optional(reference),
    default: optional("dynamic"),
    description: optional("string"),
    sensitive: optional("bool"),
    nullable: optional("bool"),
    ephemeral: optional("bool"),
    deprecated: optional("string"),
    validation: condition,
  },
  output: {
    value: required("dynamic"),
    description: optional("string"),
    sensitive: optional("bool"),
    ephemeral: optional("bool"),
    deprecated: optional("string"),
    depends_on: optional(reference),
    precondition: condition,
  },
  moved: { from: required(reference), to: required(reference) },
  import: {
    to: required(reference),
    id: optional("string"),
    identity: optional("dynamic"),
    for_each: optional("dynamic"),
    provider: optional(reference),
  },
  removed: {
    from: required(reference),
    lifecycle: block({ destroy: optional("bool") }, 1),
    connection: block({}),
  },
  check: { assert: { ...condition, min: 1 } },
  terraform: {
    required_version: optional("string"),
    experiments: optional(reference),
    required_providers: block({}, 1),
    backend: block({}, 1),
    cloud: block({}, 1),
    provider_meta: block({}),
  },
};

/** Backends whose settings are known; the others take what they take. */
export const backends: Readonly<Record<string, BodySchema>> = {
  gcs: {
    bucket: optional("string"),
    prefix: optional("string"),
    credentials: optional("string"),
    access_token: optional("string"),
    impersonate_service_account: optional("string"),
    impersonate_service_account_delegates: optional(["list", "string"]),
    encryption_key: optional("string"),
    kms_encryption_key: optional("string"),
    storage_custom_endpoint: optional("string"),
  },
  local: { path: optional("string"), workspace_dir: optional("string") },
  s3: Object.fromEntries([
    ...[
      "access_key acl bucket custom_ca_bundle dynamodb_endpoint dynamodb_table ec2_metadata_service_endpoint",
      "ec2_metadata_service_endpoint_mode endpoint http_proxy https_proxy iam_endpoint key kms_key_id no_proxy profile region",
      "retry_mode secret_key shared_credentials_file sse_customer_key sts_endpoint sts_region token workspace_key_prefix",
    ]
      .flatMap((names) => names.split(" "))
      .map((name) => [name, optional("string")] as const),
    ...[
      "encrypt force_path_style insecure skip_credentials_validation skip_metadata_api_check skip_region_validation",
      "skip_requesting_account_id skip_s3_checksum use_dualstack_endpoint use_fips_endpoint use_lockfile use_path_style",
    ]
      .flatMap((names) => names.split(" "))
      .map((name) => [name, optional("bool")] as const),
    ...[
      "allowed_account_ids",
      "forbidden_account_ids",
      "shared_config_files",
      "shared_credentials_files",
    ].map((name) => [name, optional(["list", "string"])] as const),
    ...["assume_role", "assume_role_with_web_identity", "endpoints"].map(
      (name) => [name, optional("dynamic")] as const,
    ),
    ["max_retries", optional("number")] as const,
  ]),
};

/** Types of blocks with their labels, as messages write them. */
const labelsOf: Readonly<Record<string, readonly string[]>> = {
  resource: ["type", "name"],
  data: ["type", "name"],
  ephemeral: ["type", "name"],
  module: ["name"],
  variable: ["name"],
  output: ["name"],
  provider: ["name"],
  check: ["name"],
  terraform: [],
  locals: [],
  moved: [],
  import: [],
  removed: [],
};

const freeBlocks = new Set(["required_providers", "backend", "cloud", "provider_meta"]);
const none: MetaArguments = { arguments: new Set(), blocks: new Set() };

/** Checks what stands at the top of a file, and the blocks that are Terraform's own. */
export function checkLanguage(body: HclBody, excerpt: boolean, report: Report): void {
  // A document may show values for variables in a block that it calls hcl.
  for (const { name, line } of excerpt ? [] : body.attributes)
    report({
      kind: "unknown-argument",
      line,
      message: `"${name}" stands outside of any block: a file of a module has none but blocks.`,
      remedy: "Put it into locals { ... }, or into a .tfvars file when it is the value of a variable.",
    });
  for (const one of body.blocks) if (hasLabels(one, excerpt, report)) checkOwn(one, report);
}

function hasLabels({ type, labels, line }: HclBlock, excerpt: boolean, report: Report): boolean {
  const wanted = Object.hasOwn(labelsOf, type) ? labelsOf[type] : undefined;
  if (wanted === undefined) {
    if (excerpt) return false;
    const guess = nearest(type, Object.keys(labelsOf));
    report({
      kind: "unknown-argument",
      line,
      message: `Blocks of type "${type}" are not expected here.`,
      remedy:
        guess === undefined ? `There are: ${Object.keys(labelsOf).join(", ")}.` : `Did you mean "${guess}"?`,
    });
    return false;
  }
  if (labels.length === wanted.length) return true;
  report({
    kind: "block-or-argument",
    line,
    message: `A ${type} block has ${wanted.length === 0 ? "no label" : wanted.length === 1 ? "one label" : "two labels"}, this one has ${labels.length}.`,
    remedy: `Write ${[type, ...wanted.map((label) => `"<${label}>"`)].join(" ")} { ... }.`,
  });
  return false;
}

function checkOwn({ type, labels, body, line }: HclBlock, report: Report): void {
  const what = [type, ...labels.map((label) => `"${label}"`)].join(" ");
  const schema = Object.hasOwn(language, type) ? language[type] : undefined;
  const free =
    type === "terraform" ? freeBlocks : type === "check" ? new Set(["data"]) : new Set(["provisioner"]);
  if (schema !== undefined) checkBody(body, { schema, meta: { ...none, blocks: free }, what, line }, report);
  if (type === "terraform") checkBackends(body, report);
  if (type === "module" && !body.attributes.some(({ name }) => name === "source"))
    report({
      kind: "missing-argument",
      line,
      message: `${what} needs the argument "source".`,
      remedy: 'Set "source".',
    });
  if (type === "module") checkNoBlocks(body, what, report);
  if (type === "resource" || type === "data" || type === "ephemeral") checkLifecycle(body, what, report);
}

/** A call of a module has arguments only. */
function checkNoBlocks(body: HclBody, what: string, report: Report): void {
  for (const { type, line } of body.blocks)
    report({
      kind: "block-or-argument",
      line,
      message: `${what} may have no block "${type}".`,
      remedy: `Write \`${type} = { ... }\` when it is a variable of the module.`,
    });
}

function checkBackends(terraform: HclBody, report: Report): void {
  for (const { type, labels, body, line } of terraform.blocks) {
    const [name = ""] = labels;
    const schema = type === "backend" && Object.hasOwn(backends, name) ? backends[name] : undefined;
    if (schema !== undefined)
      checkBody(body, { schema, meta: none, what: `backend "${name}"`, line }, report);
  }
}

function checkLifecycle(body: HclBody, what: string, report: Report): void {
  const blocks = body.blocks.filter(({ type }) => type === "lifecycle");
  checkBody({ attributes: [], blocks }, { schema: { lifecycle }, meta: none, what, line: 1 }, report);
}
