import { describe, expect, test } from "vitest";
import type { Rule } from "../rule.ts";
import { findingsIn, seenIn, type Files } from "./rule-harness.ts";
import { terraformCivoRules } from "./terraform-civo.ts";
import { terraformGoogleAccessRules } from "./terraform-google-access.ts";
import { terraformGoogleRules } from "./terraform-google.ts";
import { terraformOrderRules } from "./terraform-order.ts";
import { terraformRegionRules } from "./terraform-regions.ts";
import { terraformSchemaRules } from "./terraform-schema.ts";
import { terraformSecretRules } from "./terraform-secrets.ts";
import { terraformZenmlStackRules } from "./terraform-zenml-stacks.ts";
import { terraformZenmlRules } from "./terraform-zenml.ts";

const rules: readonly Rule[] = [
  ...terraformSchemaRules,
  ...terraformOrderRules,
  ...terraformSecretRules,
  ...terraformCivoRules,
  ...terraformGoogleRules,
  ...terraformGoogleAccessRules,
  ...terraformRegionRules,
  ...terraformZenmlRules,
  ...terraformZenmlStackRules,
];

/** `resource("type", "argument = 1")`: a resource named `x` with these lines. */
const resource = (type: string, body: string, name = "x"): string =>
  `resource "${type}" "${name}" {\n${body}\n}\n`;

const namespace =
  resource("kubernetes_namespace_v1", "metadata {\n name = var.ns\n}", "ns") + 'variable "ns" {}\n';
const secretIn = (place: string, more = ""): string =>
  namespace + resource("kubernetes_secret_v1", `metadata {\n name = "s"\n namespace = ${place}\n}\n${more}`);
const credential = resource("civo_object_store_credential", 'name = "c"', "c");
const password = resource("random_password", "length = 20", "p");
const database = (settings: string, version = "MYSQL_8_0"): string =>
  resource(
    "google_sql_database_instance",
    `database_version = "${version}"\nsettings {\n tier = "db-custom-2-8192"\n${settings}\n}`,
  );
const subnet = (name: string, range: string, more = ""): string =>
  resource(
    "google_compute_subnetwork",
    `name = "${name}"\nnetwork = google_compute_network.n.id\nip_cidr_range = ${range}\n${more}`,
    name,
  );
const network = resource("google_compute_network", 'name = "n"', "n");
const component = (flavor: string, configuration: string): string =>
  resource(
    "zenml_stack_component",
    `name = "c"\ntype = "orchestrator"\nflavor = "${flavor}"\nconfiguration = ${configuration}`,
  );
const role = (role: string): string =>
  resource("google_project_iam_member", `project = "p"\nrole = "${role}"\nmember = "user:a@example.com"`);
const awsConnector = (key: string): string =>
  resource(
    "zenml_service_connector",
    `name = "c"\ntype = "aws"\nauth_method = "secret-key"\nconfiguration = {\n region = "eu"\n aws_access_key_id = sensitive("a")\n aws_secret_access_key = ${key}\n}`,
  );
const required = (text: string): string => `terraform {\n required_providers {\n ${text}\n }\n}\n`;

/** For each rule: files that it finds something in, with the lines, and files that are right. */
const cases: Readonly<Record<string, { bad: [Files | string, number[]][]; good: (Files | string)[] }>> = {
  "terraform/syntax": {
    bad: [
      ['output "o" {\n value = true ? <<EOT\nx\nEOT\n : "y"\n}\n', [4]],
      [{ "terraform.tfvars": "a = 1\na = 2" }, [2]],
      [{ "excerpt:doc.tf": "a = 1\nb = 1\na = 2\nb = 2" }, [3, 4]],
    ],
    good: ['output "o" {\n value = (true ? <<EOT\nx\nEOT\n : "y")\n}\n'],
  },
  "terraform/unknown-type": { bad: [[resource("civo_databse", ""), [1]]], good: [resource("aws_vpc", "")] },
  "terraform/unknown-argument": {
    bad: [[resource("civo_network", 'label = "n"\nlable = "m"'), [3]]],
    good: [resource("civo_network", 'label = "n"')],
  },
  "terraform/missing-argument": {
    bad: [
      [resource("civo_network", ""), [1]],
      [{ "excerpt:doc.tf": resource("restapi_object", 'path = "/x"') }, [1]],
    ],
    good: [{ "excerpt:doc.tf": resource("restapi_object", 'path = "/x"\n# ... and so on') }],
  },
  "terraform/block-or-argument": {
    bad: [[resource("helm_release", 'name = "x"\nchart = "c"\nset {\n name = "a"\n value = "b"\n}'), [4]]],
    good: [resource("helm_release", 'name = "x"\nchart = "c"\nset = [{ name = "a", value = "b" }]')],
  },
  "terraform/block-count": {
    bad: [
      [
        resource(
          "google_container_cluster",
          'name = "c"\nrelease_channel {\n channel = "REGULAR"\n}\nrelease_channel {\n channel = "RAPID"\n}',
        ),
        [6],
      ],
    ],
    good: [resource("google_container_cluster", 'name = "c"\nrelease_channel {\n channel = "REGULAR"\n}')],
  },
  "terraform/computed-argument": {
    bad: [[resource("civo_network", 'label = "n"\nname = "m"'), [3]]],
    good: [resource("civo_network", 'label = "n"')],
  },
  "terraform/wrong-type": {
    bad: [[resource("civo_network", 'label = ["n"]'), [2]]],
    good: [resource("civo_network", "label = 1")],
  },
  "terraform/invalid-value": {
    bad: [
      [
        resource(
          "civo_dns_domain_record",
          'domain_id = "d"\nname = "n"\ntype = "A"\nvalue = "1.2.3.4"\nttl = 5',
        ),
        [6],
      ],
    ],
    good: [
      resource(
        "civo_dns_domain_record",
        'domain_id = "d"\nname = "n"\ntype = "A"\nvalue = "1.2.3.4"\nttl = 600',
      ),
    ],
  },
  "terraform/argument-conflict": {
    bad: [[resource("google_container_cluster", 'name = "c"\nenable_autopilot = true\nnode_pool {\n}'), [4]]],
    good: [resource("google_container_cluster", 'name = "c"\nenable_autopilot = true')],
  },
  "terraform/deprecated": {
    bad: [[resource("kubernetes_secret", 'metadata {\n name = "s"\n}'), [1]]],
    good: [resource("kubernetes_secret_v1", 'metadata {\n name = "s"\n}')],
  },
  "terraform/unresolved-reference": {
    bad: [
      [resource("civo_network", "label = each.key"), [2]],
      [resource("civo_network", 'for_each = toset(["a"])\nlabel = "n-${count.index}"'), [3]],
      ['output "o" {\n value = var.x\n}', [2]],
      [
        resource(
          "restapi_object",
          'path = "/x"\ndata = "{}"\nlifecycle {\n ignore_changes = [data.labels]\n}',
        ),
        [5],
      ],
    ],
    good: [
      'output "o" {\n value = var.x\n}\nvariable "x" {}',
      { "excerpt:doc.tf": 'output "o" {\n value = var.x\n}' },
    ],
  },
  "terraform/function": {
    bad: [['locals {\n a = uper("x")\n b = [upper("x", "y")]\n c = "${jsondecode()}"\n}', [2, 3, 4]]],
    good: [
      'variable "x" {\n type = map(object({ a = optional(string, "b") }))\n}\nlocals {\n a = upper(merge(var.x, {})...)\n b = format("%s", provider::time::rfc3339_parse("x"))\n c = core::upper("x")\n}',
    ],
  },
  "terraform/duplicate": {
    bad: [
      [credential + credential, [4]],
      [{ "a.tf": credential, "b.tf": credential }, [1]],
    ],
    good: [{ "a/a.tf": credential, "b/b.tf": credential }],
  },
  "terraform/cycle": {
    bad: [["locals {\n a = local.b\n b = local.a\n}", [2]]],
    good: ["locals {\n a = local.b\n b = 1\n}"],
  },
  "terraform/module-argument": {
    bad: [
      [
        {
          "main.tf": 'module "m" {\n source = "./m"\n nmae = 1\n}',
          "m/main.tf": 'variable "name" {\n default = 1\n}',
        },
        [3],
      ],
    ],
    good: [{ "main.tf": 'module "m" {\n source = "./m"\n name = 1\n}', "m/main.tf": 'variable "name" {}' }],
  },
  "terraform/provider-source": {
    bad: [
      [required('random = { source = "hashicorp/random" }') + credential, [6]],
      [required('civo = { version = "~> 1.2" }'), [3]],
    ],
    good: [required('civo = { source = "civo/civo" }') + credential, credential],
  },
  "terraform/missing-dependency": {
    bad: [
      [secretIn("var.ns"), [10]],
      [namespace + resource("helm_release", 'name = "x"\nchart = "c"\nnamespace = var.ns'), [10]],
      [
        namespace +
          resource(
            "kubectl_manifest",
            "yaml_body = <<YAML\nkind: Service\nmetadata:\n  name: a\n  namespace: ${var.ns}\nYAML",
          ),
        [12],
      ],
    ],
    good: [
      secretIn("kubernetes_namespace_v1.ns.metadata[0].name"),
      secretIn("var.ns", "depends_on = [kubernetes_namespace_v1.ns]"),
      secretIn("var.ns", "depends_on = [time_sleep.t]") +
        resource("time_sleep", "create_duration = kubernetes_namespace_v1.ns.id", "t"),
      secretIn("var.other"),
      namespace +
        resource("helm_release", 'name = "x"\nchart = "c"\nnamespace = var.ns\ncreate_namespace = true'),
    ],
  },
  "terraform/sleep-for-readiness": {
    bad: [
      [
        resource("kubectl_manifest", 'yaml_body = "x"', "m") +
          resource("time_sleep", 'create_duration = "60s"\ndepends_on = [kubectl_manifest.m]'),
        [4],
      ],
    ],
    good: [
      resource("google_project_service", 'service = "x"', "m") +
        resource("time_sleep", 'create_duration = "60s"\ndepends_on = [google_project_service.m]'),
    ],
  },
  "terraform/ended-provider": {
    bad: [[required('kubectl = { source = "gavinbunney/kubectl" }'), [3]]],
    good: [required('kubectl = { source = "alekc/kubectl" }')],
  },
  "terraform/old-provider": {
    bad: [
      [required('google = { source = "hashicorp/google", version = "~> 5.0" }'), [3]],
      [required('google = "~> 5.0"'), [3]],
    ],
    good: [required('google = { source = "hashicorp/google", version = ">= 6.0, < 9.0" }')],
  },
  "terraform/open-output": {
    bad: [
      [
        {
          "main.tf":
            'provider "civo" {}\nmodule "m" {\n source = "./m"\n}\noutput "o" {\n value = module.m.key\n}\noutput "p" {\n value = var.v\n}\nvariable "v" {\n sensitive = true\n}',
          "m/main.tf": 'output "key" {\n value = 1\n sensitive = true\n}',
        },
        [6, 9],
      ],
      ['output "o" {\n value = { for k, v in civo_database.main : k => v.password }\n}', [2]],
      [
        `${credential}output "o" {\n value = "key \${civo_object_store_credential.c.secret_access_key}"\n}`,
        [5],
      ],
      [
        `${credential}locals {\n k = civo_object_store_credential.c.secret_access_key\n}\noutput "o" {\n value = local.k\n}`,
        [8],
      ],
    ],
    good: [
      `${credential}output "o" {\n value = civo_object_store_credential.c.secret_access_key\n sensitive = true\n}`,
      `${credential}output "o" {\n value = sensitive(civo_object_store_credential.c.secret_access_key)\n}`,
      `${credential}output "o" {\n value = civo_object_store_credential.c.access_key_id\n}`,
    ],
  },
  "terraform/secret-in-release": {
    bad: [
      [
        password +
          resource(
            "helm_release",
            'name = "x"\nchart = "c"\nvalues = [yamlencode({\n url = "x://u:${random_password.p.result}@h"\n})]',
          ),
        [8],
      ],
      [
        password +
          resource(
            "helm_release",
            'name = "x"\nchart = "c"\nset = [{ name = "a", value = random_password.p.result }]',
          ),
        [7],
      ],
    ],
    good: [
      password +
        resource(
          "helm_release",
          'name = "x"\nchart = "c"\nset_wo = [{ name = "a", value = random_password.p.result }]\nset_wo_revision = 1\nvalues = [yamlencode({ hash = bcrypt(random_password.p.result) })]',
        ),
      resource(
        "helm_release",
        'name = "x"\nchart = "c"\nvalues = [yamlencode({ database = { passwordSecretRef = { name = "s", key = "password" } } })]',
      ),
    ],
  },
  "civo/unbound-bucket": {
    bad: [[credential + resource("civo_object_store", 'name = "b"'), [4]]],
    good: [
      credential +
        resource(
          "civo_object_store",
          'name = "b"\naccess_key_id = civo_object_store_credential.c.access_key_id',
        ),
      resource("civo_object_store", 'name = "b"'),
    ],
  },
  "civo/endpoint-host": {
    bad: [
      ['locals {\n e = "https://object-store.${var.region}.civo.com"\n}', [2]],
      [{ "values.yaml": "endpoint: https://objectstore.LON1.civo.com" }, [1]],
    ],
    good: [
      'locals {\n e = "https://objectstore.${var.region}.civo.com"\n}',
      { "values.yaml": "endpoint: https://objectstore.lon1.civo.com" },
    ],
  },
  "civo/firewall-rules": {
    bad: [
      [
        resource(
          "civo_firewall",
          'name = "f"\ningress_rule {\n action = "allow"\n cidr = ["0.0.0.0/0"]\n port_range = "443"\n}',
        ),
        [1],
      ],
      [resource("civo_firewall", 'name = "f"\ncreate_default_rules = false'), [1]],
      [
        resource(
          "civo_firewall",
          'name = "f"\ncreate_default_rules = false\negress_rule {\n action = "allow"\n cidr = ["0.0.0.0/0"]\n}',
        ),
        [4],
      ],
    ],
    good: [
      resource("civo_firewall", 'name = "f"'),
      resource(
        "civo_firewall",
        'name = "f"\ncreate_default_rules = false\negress_rule {\n action = "allow"\n cidr = ["0.0.0.0/0"]\n protocol = "icmp"\n}\ndynamic "ingress_rule" {\n for_each = []\n content {\n action = "allow"\n cidr = []\n port_range = "1"\n}\n}',
      ),
    ],
  },
  "civo/cluster": {
    bad: [
      [resource("civo_kubernetes_cluster", 'firewall_id = var.f\nkubernetes_version = "1.30"'), [3]],
      [
        resource("civo_kubernetes_cluster", 'firewall_id = var.f\ncluster_type = "talos"\ncni = "cilium"'),
        [4],
      ],
      [
        resource("civo_kubernetes_cluster", "firewall_id = civo_firewall.f.id\nnetwork_id = var.n") +
          resource("civo_firewall", 'name = "f"', "f"),
        [2],
      ],
    ],
    good: [
      resource(
        "civo_kubernetes_cluster",
        'firewall_id = civo_firewall.f.id\nnetwork_id = var.n\ncni = "cilium"\nkubernetes_version = "1.30.5-k3s1"',
      ) + resource("civo_firewall", 'name = "f"\nnetwork_id = var.n', "f"),
    ],
  },
  "civo/change-not-applied": {
    bad: [
      [
        resource(
          "civo_database",
          'name = "d"\nengine = "mysql"\nversion = "8.0"\nsize = var.big ? "l" : "s"\nnodes = 1',
        ),
        [5],
      ],
    ],
    good: [
      resource(
        "civo_database",
        'name = "d"\nengine = "mysql"\nversion = "8.0"\nsize = "s"\nnodes = var.big ? 3 : 1',
      ),
      resource(
        "civo_database",
        'name = "d"\nengine = "mysql"\nversion = "8.0"\nsize = var.big ? "l" : "s"\nnodes = 1\nlifecycle {\n replace_triggered_by = [terraform_data.size]\n}',
      ),
    ],
  },
  "civo/open-database": {
    bad: [[resource("civo_database", 'name = "d"'), [1]]],
    good: [resource("civo_database", 'name = "d"\nfirewall_id = var.f')],
  },
  "civo/provider-token": {
    bad: [['provider "civo" {\n token = var.token\n}', [2]]],
    good: ['provider "civo" {\n region = "LON1"\n}'],
  },
  "google/autopilot-node-pool": {
    bad: [
      [
        resource("google_container_cluster", 'name = "c"\nenable_autopilot = true') +
          resource("google_container_node_pool", "cluster = google_container_cluster.x.id"),
        [5],
      ],
    ],
    good: [
      resource("google_container_cluster", 'name = "c"\nenable_autopilot = var.auto') +
        resource(
          "google_container_node_pool",
          "count = var.auto ? 0 : 1\ncluster = google_container_cluster.x.id",
        ) +
        'variable "auto" {\n default = true\n}',

      resource(
        "google_container_cluster",
        'name = "c"\nremove_default_node_pool = true\ninitial_node_count = 1',
      ) + resource("google_container_node_pool", "cluster = google_container_cluster.x.id"),
    ],
  },
  "google/cluster-without-nodes": {
    bad: [[resource("google_container_cluster", 'name = "c"'), [1]]],
    good: [
      resource("google_container_cluster", 'name = "c"\nenable_autopilot = var.autopilot'),
      resource("google_container_cluster", 'name = "c"') +
        resource("google_container_node_pool", "cluster = google_container_cluster.x.name"),
    ],
  },
  "google/mysql-point-in-time": {
    bad: [
      [database("backup_configuration {\n enabled = true\n point_in_time_recovery_enabled = true\n}"), [7]],
    ],
    good: [
      database("backup_configuration {\n enabled = true\n binary_log_enabled = true\n}"),
      database(
        "backup_configuration {\n enabled = true\n point_in_time_recovery_enabled = true\n}",
        "POSTGRES_17",
      ),
    ],
  },
  "google/regional-without-backup": {
    bad: [
      [database('availability_type = "REGIONAL"'), [5]],
      [database('availability_type = "REGIONAL"\nbackup_configuration {\n enabled = true\n}'), [5]],
    ],
    good: [
      database(
        'availability_type = "REGIONAL"\nbackup_configuration {\n enabled = true\n binary_log_enabled = true\n}',
      ),
      database('availability_type = "REGIONAL"\nbackup_configuration {\n enabled = var.on\n}', "POSTGRES_17"),
      database('availability_type = "ZONAL"'),
    ],
  },
  "google/lifecycle-action": {
    bad: [
      [
        resource(
          "google_storage_bucket",
          'name = "n"\nlocation = "EU"\nlifecycle_rule {\n action {\n type = "Archive"\n}\n condition {\n age = 1\n}\n}',
        ),
        [6],
      ],
    ],
    good: [
      resource(
        "google_storage_bucket",
        'name = "n"\nlocation = "EU"\nlifecycle_rule {\n action {\n type = "Delete"\n}\n condition {\n age = 1\n}\n}',
      ),
    ],
  },
  "google/zone-name": {
    bad: [
      [resource("google_dns_managed_zone", 'name = "z"\ndns_name = "ml.example.com"'), [3]],
      [resource("google_dns_managed_zone", 'name = "z"\ndns_name = "${var.a}.com"'), [3]],
    ],
    good: [
      resource("google_dns_managed_zone", 'name = "z"\ndns_name = "${var.domain}."'),
      resource("google_dns_managed_zone", 'name = "z"\ndns_name = var.domain'),
    ],
  },
  "google/peering-range": {
    bad: [[resource("google_compute_global_address", 'name = "r"\npurpose = "VPC_PEERING"'), [1]]],
    good: [resource("google_compute_global_address", 'name = "r"\npurpose = "VPC_PEERING"\nnetwork = var.n')],
  },
  "google/bucket-name": {
    bad: [
      [resource("google_storage_bucket", 'name = "zenml-mlflow-artifacts"'), [2]],
      [resource("google_storage_bucket", 'name = "Acme-Models"'), [2]],
      [
        `${resource("google_storage_bucket", "name = var.bucket")}variable "bucket" {\n default = "mlflow-artifacts"\n}`,
        [2],
      ],
      [resource("google_storage_bucket", 'name = "acme_models"'), [2]],
    ],
    good: [
      resource("google_storage_bucket", 'name = "${var.project}-models"'),
      resource("google_storage_bucket", 'name = "acme-4711-models"'),
    ],
  },
  "google/wide-role": {
    bad: [
      [role("roles/storage.objectAdmin"), [3]],
      [role("storage.objectAdmin"), [3]],
      [
        resource(
          "google_project_iam_member",
          'for_each = toset(["roles/editor", "roles/logging.logWriter"])\nproject = "p"\nrole = each.value\nmember = "user:a@example.com"',
        ),
        [4],
      ],
      [role("roles/cloudsql.client"), [3]],
    ],
    good: [
      role("roles/logging.logWriter"),
      {
        "main.tf": role("roles/cloudsql.client"),
        "pod.yaml": "image: gcr.io/cloud-sql-connectors/cloud-sql-proxy:2",
      },
    ],
  },
  "google/unknown-role": {
    bad: [
      [role("roles/storage.objectAdmn"), [3]],
      [
        resource(
          "google_storage_bucket_iam_member",
          'bucket = "b"\nrole = "roles/storage.objectuser"\nmember = "user:a@example.com"',
        ),
        [3],
      ],
    ],
    good: [role("roles/storage.objectUser"), role("roles/run.invoker"), role("roles/storage.somethingNew")],
  },
  "google/force-destroy": {
    bad: [[resource("google_storage_bucket", 'name = "n"\nforce_destroy = true'), [3]]],
    good: [resource("google_storage_bucket", 'name = "n"\nforce_destroy = false')],
  },
  "google/service-account-key": {
    bad: [
      [{ "excerpt:doc.tf": "locals {\n key = google_service_account_key.dev.private_key\n}" }, [2]],
      [resource("google_service_account_key", "service_account_id = var.a"), [1]],
    ],
    good: [resource("google_service_account", 'account_id = "abcdef"')],
  },
  "zenml/stack-module": {
    bad: [['module "m" {\n source = "zenml-io/zenml-stack/gcp"\n}', [2]]],
    good: ['module "m" {\n source = "./stack"\n}'],
  },
  "terraform/unused-backup-region": {
    bad: [
      ['variable "backup_region" {}', [1]],
      [{ "excerpt:doc.tf": 'region = "a"\nbackup_region = "b"' }, [2]],
    ],
    good: [
      `variable "backup_region" {}\n${resource("google_storage_bucket", 'name = "n"\nlocation = var.backup_region')}`,
    ],
  },
  "google/overlapping-ranges": {
    bad: [
      [network + subnet("a", '"10.0.0.0/16"') + subnet("b", '"10.0.128.0/20"'), [13]],
      [
        network +
          subnet(
            "a",
            '"10.0.0.0/20"',
            'secondary_ip_range {\n range_name = "pods"\n ip_cidr_range = "10.0.0.0/14"\n}',
          ),
        [10],
      ],
    ],
    good: [
      network +
        subnet(
          "a",
          '"10.0.0.0/20"',
          'secondary_ip_range {\n range_name = "pods"\n ip_cidr_range = "10.4.0.0/14"\n}',
        ) +
        subnet("b", "var.range"),
    ],
  },
  "zenml/connector": {
    bad: [
      [
        resource("zenml_service_connector", 'name = "c"\ntype = "gcp"\nauth_method = "workload-identity"'),
        [4],
      ],
      [
        resource(
          "zenml_service_connector",
          'name = "c"\ntype = "gcp"\nauth_method = "implicit"\nresource_type = "s3-bucket"\nconfiguration = { project = "p" }',
        ),
        [5, 6, 6],
      ],
      ['locals {\n p = {\n  method = "workload-identity"\n  config = { type = "gcp" }\n }\n}', [3, 4]],
    ],
    good: [
      resource(
        "zenml_service_connector",
        'name = "c"\ntype = "gcp"\nauth_method = "implicit"\nresource_type = "gcs-bucket"\nconfiguration = { project_id = "p" }',
      ),
      resource(
        "zenml_service_connector",
        'name = "c"\ntype = "gcp"\nauth_method = var.method\nconfiguration = var.configuration',
      ),
    ],
  },
  "zenml/component-flavor": {
    bad: [
      [
        resource(
          "zenml_stack_component",
          'name = "c"\ntype = "artifact_store"\nflavor = "gcs"\nconfiguration = { path = "gs://b" }',
        ),
        [4],
      ],
    ],
    good: [
      resource(
        "zenml_stack_component",
        'name = "c"\ntype = "artifact_store"\nflavor = "gcp"\nconfiguration = { path = "gs://b" }',
      ),
    ],
  },
  "zenml/component-configuration": {
    bad: [
      [component("vertex", '{\n location = "eu"\n machine_type = "n1"\n}'), [7]],
      [component("vertex", "{}"), [5]],
      [
        'module "m" {\n source = "x/y/z"\n more = {\n  orchestrator = {\n   flavor = "vertex"\n   config = {\n    location = "eu"\n    gpu_enabled = true\n   }\n  }\n }\n}',
        [8],
      ],
    ],
    good: [
      component("vertex", '{ location = "eu" }'),
      component("our_own", "{ anything = 1 }"),
      component("vertex", "var.configuration"),
    ],
  },
  "zenml/stack-components": {
    bad: [
      [resource("zenml_stack", 'name = "s"\ncomponents = {\n artifact_store = var.a\n}'), [3]],
      [
        resource(
          "zenml_stack",
          'name = "s"\ncomponents = {\n artifact_store = var.a\n orchestrater = var.b\n}',
        ),
        [5, 3],
      ],
    ],
    good: [
      resource(
        "zenml_stack",
        'name = "s"\ncomponents = {\n artifact_store = var.a\n orchestrator = var.b\n}',
      ),
      resource("zenml_stack", 'name = "s"\ncomponents = var.components'),
    ],
  },
  "zenml/open-connector": {
    bad: [
      [awsConnector("civo_object_store_credential.c.secret_access_key") + credential, [8]],
      [`${awsConnector("var.key")}variable "key" {}`, [8]],
    ],
    good: [
      awsConnector("sensitive(civo_object_store_credential.c.secret_access_key)") + credential,
      `${awsConnector("var.key")}variable "key" {\n sensitive = true\n}`,
    ],
  },
  "zenml/stack-inheritance": {
    bad: [['module "m" {\n source = "x/y/z"\n base_stack_id = zenml_stack.base.id\n}', [3]]],
    good: ['module "m" {\n source = "x/y/z"\n artifact_store_id = zenml_stack_component.a.id\n}'],
  },
  "zenml/loose-connector-resource": {
    bad: [[resource("zenml_stack_component", 'connector_resource_id = "gs://b"'), [2]]],
    good: [resource("zenml_stack_component", 'connector_id = var.c\nconnector_resource_id = "gs://b"')],
  },
  "zenml/rest-drift": {
    bad: [[resource("restapi_object", 'path = "/api/v1/stacks"\ndata = "{}"'), [1]]],
    good: [
      resource("restapi_object", 'path = "/api/v1/stacks"\ndata = "{}"\nignore_all_server_changes = true'),
      resource("restapi_object", 'path = "/other"\ndata = "{}"'),
    ],
  },
  "zenml/stack-in-labels": {
    bad: [["locals {\n tags = {\n  stack = zenml_stack.main.id\n }\n}", [3]]],
    good: ["locals {\n tags = { stack = var.stack_name }\n}"],
  },
  "zenml/token-in-headers": {
    bad: [
      ['provider "restapi" {\n uri = "x"\n headers = {\n  Authorization = "Bearer ${var.key}"\n }\n}', [4]],
    ],
    good: [
      'provider "restapi" {\n uri = "x"\n bearer_token = var.key\n headers = { Accept = "application/json" }\n}',
    ],
  },
};

const asFiles = (given: Files | string): Files => (typeof given === "string" ? { "main.tf": given } : given);

test("every rule has a case, every case a rule", () => {
  expect(Object.keys(cases).sort()).toEqual(rules.map(({ id }) => id).sort());
});

describe.each(rules)("$id", (rule) => {
  const { bad = [], good = [] } = cases[rule.id] ?? {};

  test.each(bad)("finds %j", (files, lines) => {
    expect(seenIn([rule], asFiles(files))).toEqual(lines.map((line) => `${rule.id}:${line}`));
  });

  test.each(good.map((files) => [files] as const))("leaves %j", (files) => {
    expect(findingsIn([rule], asFiles(files))).toEqual([]);
  });
});
