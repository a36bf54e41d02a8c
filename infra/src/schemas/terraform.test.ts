import { describe, expect, test } from "vitest";
import { parseHcl } from "../hcl/parse.ts";
import type { TerraformModule } from "../lint/workspace.ts";
import { admitsMajor } from "./terraform-index.ts";
import { checkModule } from "./terraform.ts";

const moduleOf = (text: string, folder = "root"): TerraformModule => ({
  folder,
  excerpt: false,
  files: [{ file: `${folder}/main.tf`, body: parseHcl(text) }],
  variables: [],
});

const problemsOf = (text: string, excerpt = false): string[] =>
  checkModule({ ...moduleOf(text), excerpt }).map(({ kind, line, message }) => `${line} ${kind} ${message}`);

const bucket = 'resource "google_storage_bucket" "b" {\n  name = "n"\n  location = "EU"\n';

describe("what the provider refuses", () => {
  test.each([
    [
      `${bucket}  versionning {\n enabled = true\n}\n}`,
      '4 unknown-argument google_storage_bucket.b has no block "versionning".',
    ],
    [
      `${bucket}  versioning = { enabled = true }\n}`,
      '4 block-or-argument "versioning" of google_storage_bucket.b is a block',
    ],
    [`${bucket}  self_link = "x"\n}`, '4 computed-argument "self_link"'],
    [
      `${bucket}  force_destroy = "maybe"\n}`,
      '4 wrong-type "force_destroy": a bool is required, "maybe" is given.',
    ],
    [`${bucket}  labels = ["a"]\n}`, '4 wrong-type "labels": a map is required, a list is given.'],
    [
      `${bucket}  lifecycle_rule {\n action {\n type = "Delete"\n}\n}\n}`,
      '4 missing-argument "lifecycle_rule" of google_storage_bucket.b needs a block "condition".',
    ],
    [
      `${bucket}  versioning {\n enabled = true\n}\n versioning {\n enabled = true\n}\n}`,
      '7 block-count google_storage_bucket.b may have one block "versioning"',
    ],
    [
      `${bucket}  dynamic "lifecycle_rul" {\n for_each = []\n content {}\n}\n}`,
      'has no block "lifecycle_rul"',
    ],
    [
      'resource "google_storage_bucket" "b" {\n location = "EU"\n}',
      '1 missing-argument google_storage_bucket.b needs the argument "name".',
    ],
    [
      'resource "helm_release" "x" {\n name = "x"\n chart = "x"\n set {\n name = "a"\n value = "b"\n}\n}',
      '4 block-or-argument "set" of helm_release.x is an argument, not a block.',
    ],
    [
      'resource "helm_release" "x" {\n name = "x"\n chart = "x"\n set = [{ nam = "a", value = "b" }]\n}',
      '4 unknown-argument "set" of helm_release.x has no argument "nam".',
    ],
    [
      'resource "civo_dns_domain_record" "r" {\n domain_id = civo_dns_domain_name.d.id\n type = "AAAA"\n name = "x"\n value = "y"\n ttl = 30\n}\nresource "civo_dns_domain_name" "d" {\n name = "x.org"\n}',
      '6 value-limit "ttl"',
    ],
    [
      'resource "civo_kubernetes_cluster" "c" {\n firewall_id = "abc"\n pools {\n size = "s"\n node_count = 0\n}\n}',
      '5 value-limit "node_count": 0 is less than 1',
    ],
    [
      'resource "civo_kubernetes_cluster" "c" {\n firewall_id = "abc"\n pools {\n size = "s"\n node_count = 1\n}\n}',
      '2 value-limit "firewall_id": "abc" is not a UUID.',
    ],
    [
      'resource "zenml_stack" "s" {\n name = "s"\n components = { artifact_store = { flavor = "gcp" } }\n}',
      '3 wrong-type "components.artifact_store": a string is required, an object is given.',
    ],
    [
      'resource "zenml_stack" "s" {\n name = "s"\n description = "d"\n components = {}\n}',
      '3 unknown-argument zenml_stack.s has no argument "description".',
    ],
    ['resource "civo_databases" "d" {\n}', "1 unknown-type The provider civo/civo"],
    [
      'resource "kubernetes_secret" "s" {\n metadata {\n name = "x"\n}\n}',
      '1 deprecated "kubernetes_secret" is deprecated',
    ],
    [
      'resource "google_container_cluster" "c" {\n name = "c"\n enable_autopilot = true\n remove_default_node_pool = true\n}',
      "argument-conflict",
    ],
    [
      'resource "google_container_cluster" "c" {\n name = "c"\n enable_autopilot = true\n cluster_autoscaling {\n enabled = true\n}\n}',
      '"cluster_autoscaling.enabled"',
    ],
    [
      'resource "google_sql_database_instance" "d" {\n database_version = "MYSQL_8_0"\n}',
      '1 argument-conflict google_sql_database_instance.d needs at least one of "settings", "clone", "point_in_time_restore_context".',
    ],
    [
      'resource "google_sql_user" "u" {\n name = "u"\n instance = "i"\n password = "p"\n password_wo = "q"\n password_wo_version = 1\n}',
      "argument-conflict",
    ],
    [
      'resource "restapi_object" "o" {\n path = "/a"\n data = "{}"\n lifecycle {\n ignore_changes = [data.labels]\n}\n}',
      '5 unresolved-reference ignore_changes of restapi_object.o names "data.labels": Can\'t access attributes on a primitive-typed value',
    ],
  ])("%s", (text, problem) => {
    expect(problemsOf(text).join("\n")).toContain(problem);
  });
});

describe("the language itself", () => {
  test.each([
    ['variable "x" {\n defualt = 1\n}', '2 unknown-argument variable "x" has no argument "defualt".'],
    [
      'variable "x" {\n validation {\n condition = true\n}\n}',
      '2 missing-argument "validation" of variable "x" needs the argument "error_message".',
    ],
    ['output "x" {}', '1 missing-argument output "x" needs the argument "value".'],
    ['output "x" {\n value = 1\n sensitive = "perhaps"\n}', '3 wrong-type "sensitive"'],
    [
      "terraform {\n required_providres {}\n}",
      '2 unknown-argument terraform has no block "required_providres".',
    ],
    [
      'terraform {\n backend "gcs" {\n buckt = "x"\n}\n}',
      '3 unknown-argument backend "gcs" has no argument "buckt".',
    ],
    ['module "m" {}', '1 missing-argument module "m" needs the argument "source".'],
    [
      'module "m" {\n source = "x/y/z"\n settings {}\n}',
      '3 block-or-argument module "m" may have no block "settings".',
    ],
    ['resorce "a_b" "c" {}', '1 unknown-argument Blocks of type "resorce" are not expected here.'],
    ['resource "a_b" {}', "1 block-or-argument A resource block has two labels, this one has 1."],
    ["region = 1", '1 unknown-argument "region" stands outside of any block'],
    [
      'resource "a_b" "c" {\n lifecycle {\n prevent_destory = true\n}\n}',
      '3 unknown-argument "lifecycle" of resource "a_b" "c" has no argument "prevent_destory".',
    ],
    ["moved {\n from = a.b\n}", '1 missing-argument moved needs the argument "to".'],
  ])("%s", (text, problem) => {
    expect(problemsOf(text).join("\n")).toContain(problem);
  });

  test("all that there is", () => {
    expect(
      problemsOf(
        'terraform {\n required_version = ">= 1.11"\n required_providers {\n a = { source = "a/a" }\n }\n backend "gcs" {\n bucket = "b"\n }\n}\nvariable "x" {\n type = string\n default = null\n nullable = true\n validation {\n condition = var.x != ""\n error_message = "no"\n }\n}\noutput "o" {\n value = var.x\n precondition {\n condition = true\n error_message = "no"\n }\n}\ncheck "c" {\n data "a_b" "c" {}\n assert {\n condition = data.a_b.c.ok\n error_message = "no"\n }\n}\nimport {\n to = a_b.c\n id = "x"\n}\nremoved {\n from = a_b.d\n lifecycle {\n destroy = false\n }\n}\nresource "a_b" "c" {\n lifecycle {\n postcondition {\n condition = self.x\n error_message = "no"\n }\n }\n provisioner "local-exec" {\n command = "x"\n }\n}',
      ),
    ).toEqual([]);
  });
});

describe("references that lead nowhere", () => {
  const network = 'resource "civo_network" "n" {\n label = "n"\n}\n';
  test.each([
    [
      'output "o" {\n value = var.regoin\n}\nvariable "region" {}',
      '2 unresolved-reference No input variable "regoin"',
    ],
    ['output "o" {\n value = local.x\n}', '2 unresolved-reference No local value "x"'],
    ['output "o" {\n value = module.x.y\n}', '2 unresolved-reference No module "x"'],
    ['output "o" {\n value = data.civo_network.n.id\n}', 'No data source "data.civo_network.n"'],
    [
      `${network}output "o" {\n value = civo_network.m.id\n}`,
      '5 unresolved-reference No resource "civo_network.m"',
    ],
    [
      `${network}output "o" {\n value = "x-\${civo_network.n.idd}"\n}`,
      '5 unresolved-reference "civo_network.n.idd": there is no attribute "idd".',
    ],
    [
      `${network}output "o" {\n value = civo_network.n.id.x\n}`,
      "Can't access attributes on a primitive-typed value",
    ],
    [`${network}output "o" {\n value = civo_network.n[0].id\n}`, 'neither "count" nor "for_each"'],
    [
      'resource "civo_network" "n" {\n count = 1\n label = "n"\n}\noutput "o" {\n value = civo_network.n.id\n}',
      'has "count"',
    ],
    [
      `${bucket}}\noutput "o" {\n value = google_storage_bucket.b.versioning.enabled\n}`,
      '"versioning" is a list of objects',
    ],
    ['output "o" {\n value = plain\n}', 'Invalid reference: "plain" names no resource'],
    [
      `${network}resource "civo_network" "n" {\n label = "m"\n}`,
      '4 duplicate "civo_network.n" is already declared on line 1',
    ],
    ['variable "a" {}\nvariable "a" {}', "2 duplicate"],
    [
      `locals {\n tags = { stack = zenml_stack.s.id }\n}\n${bucket}  labels = local.tags\n}\nresource "zenml_stack" "s" {\n name = "s"\n components = { artifact_store = google_storage_bucket.b.id }\n}`,
      "cycle Cycle: google_storage_bucket.b needs local.tags needs zenml_stack.s needs google_storage_bucket.b",
    ],
    ["locals {\n a = local.a\n}", '2 cycle "local.a" refers to itself.'],
  ])("%s", (text, problem) => {
    expect(problemsOf(text).join("\n")).toContain(problem);
  });
});

describe("no false alarm", () => {
  test.each([
    [
      "what only Terraform can know",
      `variable "x" {}\n${bucket.replace('"n"', "var.x")}  labels = merge(var.x, { a = 1 })\n  force_destroy = var.x\n  retention_policy {\n    retention_period = var.x\n  }\n}`,
    ],
    [
      "blocks made by dynamic, with an iterator",
      'variable "rules" {}\nresource "civo_firewall" "f" {\n name = "f"\n create_default_rules = false\n dynamic "ingress_rule" {\n for_each = var.rules\n iterator = rule\n content {\n label = rule.value.label\n cidr = ["0.0.0.0/0"]\n action = "allow"\n}\n}\n}',
    ],
    [
      "count and for_each",
      'resource "civo_network" "n" {\n count = 1\n label = "n"\n}\nresource "civo_network" "m" {\n for_each = toset(["a"])\n label = each.key\n}\noutput "o" {\n value = [civo_network.n[0].id, civo_network.n[*].id, civo_network.m["a"].id, one(civo_network.n[*].id), [for n in civo_network.m : n.id], length(civo_network.n)]\n}',
    ],
    [
      "numbers as texts, texts as numbers",
      'resource "civo_kubernetes_node_pool" "p" {\n cluster_id = "x"\n size = 1\n node_count = "3"\n}',
    ],
    [
      "words that are no references",
      'terraform {\n backend "gcs" {}\n}\nprovider "google" {\n alias = "b"\n}\nvariable "x" {\n type = map(string)\n}\nmoved {\n from = a.b\n to = a.c\n}\nresource "civo_network" "n" {\n provider = civo.b\n label = "n"\n lifecycle {\n ignore_changes = [cidr_v4]\n replace_triggered_by = [null_resource.x]\n}\n depends_on = [module.m, data.civo_network.d]\n}\nmodule "m" {\n source = "x/y/z"\n providers = { google = google.b }\n}\ndata "civo_network" "d" {\n label = "x"\n}\nresource "null_resource" "x" {\n provisioner "local-exec" {\n when = destroy\n command = "echo ${self.id}"\n}\n}',
    ],
    [
      "a provider of another major version",
      'terraform {\n required_providers {\n helm = {\n source = "hashicorp/helm"\n version = "~> 2.12"\n}\n}\n}\nresource "helm_release" "x" {\n name = "x"\n chart = "x"\n set {\n name = "a"\n value = "b"\n}\n}',
    ],
    [
      "another provider of the same types",
      'resource "google_storage_bucket" "b" {\n provider = google-beta\n new_in_beta = 1\n}\noutput "o" {\n value = google_storage_bucket.b.new_in_beta\n}',
    ],
    [
      "a version as it was told of old",
      'provider "helm" {\n version = "~> 1.0"\n}\nresource "helm_release" "x" {\n name = "x"\n chart = "x"\n set {\n name = "a"\n value = "b"\n}\n}',
    ],
    [
      "a provider that is not known",
      'resource "aws_s3_bucket" "b" {\n anything = 1\n}\noutput "o" {\n value = aws_s3_bucket.b.arn\n}',
    ],
    [
      "null for what is not set",
      'resource "google_sql_user" "u" {\n name = "u"\n instance = "i"\n password = null\n password_wo = "q"\n password_wo_version = 1\n}',
    ],
    [
      "nested computed attributes",
      `${bucket}}\nresource "google_sql_database_instance" "d" {\n database_version = "MYSQL_8_0"\n settings {\n tier = "db-f1-micro"\n}\n}\noutput "o" {\n value = [google_sql_database_instance.d.server_ca_cert[0].cert, google_sql_database_instance.d.ip_address.0.ip_address]\n}`,
    ],
    [
      "the shapes of the ZenML provider",
      'resource "zenml_service_connector" "gcp" {\n name = "gcp"\n type = "gcp"\n auth_method = "implicit"\n resource_type = "gcs-bucket"\n resource_id = "gs://b"\n configuration = { project_id = "p" }\n}\nresource "zenml_stack_component" "artifacts" {\n name = "gcs"\n type = "artifact_store"\n flavor = "gcp"\n configuration = { path = "gs://b" }\n connector_id = zenml_service_connector.gcp.id\n connector_resource_id = "gs://b"\n}\nresource "zenml_stack" "prod" {\n name = "prod"\n components = {\n artifact_store = zenml_stack_component.artifacts.id\n}\n}',
    ],
  ])("%s", (_, text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  test("a module takes the providers of the root that calls it", () => {
    const module = moduleOf(
      'resource "helm_release" "x" {\n name = "x"\n chart = "x"\n set {\n name = "a"\n value = "b"\n}\n}',
      "m",
    );
    const root = moduleOf(
      'terraform {\n required_providers {\n helm = { source = "hashicorp/helm", version = "~> 2.0" }\n}\n}',
    );
    expect(checkModule(module, [root, module])).toEqual([]);
  });

  test("override files change what the others declare", () => {
    const files = ["main.tf", "main_override.tf"].map((file) => ({ file, body: parseHcl(`${bucket}}`) }));
    expect(checkModule({ folder: ".", excerpt: false, files, variables: [] })).toEqual([]);
  });

  test("an excerpt is not blamed for what stands elsewhere", () => {
    const text = 'output "o" {\n value = "${var.a}${local.b}${civo_network.c.id}${module.d.e}"\n}';
    expect(problemsOf(text)).toHaveLength(4);
    expect(problemsOf(text, true)).toEqual([]);
    expect(problemsOf('output "o" {\n value = civo_network.c.idd\n}', true)).toHaveLength(1);
  });
});

describe("calls of modules in the same files", () => {
  const network = moduleOf(
    'variable "cidr" {}\nvariable "name" {\n default = "x"\n}\noutput "id" {\n value = 1\n}',
    "root/modules/network",
  );
  const callOf = (body: string): string[] => {
    const root = moduleOf(
      `module "network" {\n source = "./modules/network"\n${body}\n}\noutput "o" {\n value = module.network.id\n}`,
    );
    return checkModule(root, [root, network]).map(({ line, message }) => `${line} ${message}`);
  };

  test("arguments and outputs are looked up", () => {
    expect(callOf(' cidr = "10.0.0.0/16"')).toEqual([]);
    expect(callOf(' cdir = "10.0.0.0/16"')).toEqual([
      '3 The module in root/modules/network declares no variable "cdir".',
      '1 module "network" needs the argument "cidr": the variable has no default.',
    ]);
    const root = moduleOf(
      'module "n" {\n source = "./modules/network/"\n cidr = ""\n}\noutput "o" {\n value = module.n.ids\n}',
    );
    expect(checkModule(root, [network]).map(({ message }) => message)).toEqual([
      'The module in root/modules/network has no output "ids".',
    ]);
  });

  test("keys of what is written out are looked up, in locals, outputs of modules and other states", () => {
    expect(
      problemsOf(
        'locals {\n a = { b = { c = 1 }, (var.k) = 2 }\n d = { e = 1 }\n f = [local.a.x, local.a.b.c, local.d["e"], local.d.g]\n}\nvariable "k" {}',
      ),
    ).toEqual(['4 unresolved-reference "local.d.g": there is no "g" in it.']);
    const child = moduleOf('output "all" {\n value = sensitive({ id = 1 })\n}', "root/child");
    const root = moduleOf(
      'module "c" {\n source = "./child"\n}\noutput "o" {\n value = [module.c.all.id, module.c.all.di]\n}',
    );
    expect(checkModule(root, [root, child]).map(({ message }) => message)).toEqual([
      '"module.c.all.di": there is no "di" in it.',
    ]);
  });

  test("a value for a variable that is not declared has no effect", () => {
    const root = {
      ...moduleOf('variable "region" {}'),
      variables: [{ file: "root/terraform.tfvars", body: parseHcl('regoin = "x"') }],
    };
    expect(checkModule(root)).toMatchObject([
      { file: "root/terraform.tfvars", line: 1, severity: "warning" },
    ]);
  });
});

describe("types of variables", () => {
  const typed =
    'variable "pools" {\n type = map(object({ size = string, nodes = optional(number, 1) }))\n}\n';
  test.each([
    [
      `${typed}output "o" {\n value = var.pools["a"].sise\n}`,
      '5 unresolved-reference "var.pools.a.sise": "pools" has no attribute "sise".',
    ],
    ['variable "x" {\n type = list(string)\n default = {}\n}', '3 wrong-type "default": a list is required'],
    [
      'variable "x" {\n type = bool\n default = "yes"\n}',
      '3 wrong-type "default": a bool is required, "yes" is given.',
    ],
  ])("%s", (text, problem) => {
    expect(problemsOf(text).join("\n")).toContain(problem);
  });

  test("hold for calls of modules and variable files", () => {
    const pools = moduleOf(typed, "root/pools");
    const call = (value: string): string[] =>
      checkModule(moduleOf(`module "m" {\n source = "./pools"\n pools = ${value}\n}`), [pools]).map(
        ({ line, kind, message }) => `${line} ${kind} ${message}`,
      );
    expect(call('{ a = { size = "s" } }')).toEqual([]);
    expect(call("{ a = {} }")).toEqual([
      expect.stringContaining('3 missing-argument "pools.a": the attribute "size"'),
    ]);
    expect(call('{ a = { size = "s", nodse = 2 } }')).toEqual([
      expect.stringContaining('3 module-argument "pools.a"'),
    ]);
    const module = { ...pools, variables: [{ file: "a.tfvars", body: parseHcl("pools = []") }] };
    expect(checkModule(module)).toMatchObject([{ kind: "wrong-type", file: "a.tfvars", line: 1 }]);
    expect(
      problemsOf(`${typed}output "o" {\n value = [var.pools["a"].nodes, values(var.pools)[0].size]\n}`),
    ).toEqual([]);
  });
});

describe("the state of another root", () => {
  const writer = moduleOf(
    'terraform {\n backend "gcs" {\n bucket = "b"\n prefix = "cluster"\n}\n}\noutput "name" {\n value = 1\n}',
    "cluster",
  );
  const read = (output: string, config = 'bucket = "b"\n prefix = "cluster"'): string[] =>
    checkModule(
      moduleOf(
        `data "terraform_remote_state" "c" {\n backend = "gcs"\n config = {\n ${config}\n}\n}\noutput "o" {\n value = data.terraform_remote_state.c.outputs.${output}\n}`,
        "platform",
      ),
      [writer],
    ).map(({ line, message }) => `${line} ${message}`);

  test("has the output that is read, and a backend that exists", () => {
    expect(read("name")).toEqual([]);
    expect(read("nmae")).toEqual(['9 The root in cluster, whose state this reads, has no output "nmae".']);
    expect(read("anything", 'bucket = "b"\n prefix = "other"')).toEqual([]);
    expect(read("x", 'bucket = "b"\n prefx = "cluster"')).toEqual([
      '5 backend "gcs" has no argument "prefx".',
    ]);
  });
});

test.each([
  ["~> 7.45", true],
  [">= 6, < 8", true],
  [">= 6, < 7.0", false],
  ["~> 5.0", false],
  ["~> 7", true],
  ["7.40.0", true],
  ["< 7.50", true],
  ["!= 7.1.0", true],
])("major version 7 is admitted by %s: %s", (constraint, admitted) => {
  expect(admitsMajor(constraint, "7.45.0")).toBe(admitted);
});
