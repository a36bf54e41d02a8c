import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseHcl } from "../hcl/parse.ts";
import { valueOf } from "../hcl/value.ts";
import {
  call,
  Call,
  ref,
  template,
  type TerraformBlock,
  type TerraformValue,
} from "../resources/resource.ts";
import { printTerraform } from "./hcl.ts";

const print = (...blocks: readonly TerraformBlock[]): string =>
  printTerraform(blocks.map((block) => ({ kind: "terraform", file: "main.tf", because: [], block })));

describe("a file as a person writes it", () => {
  test("blocks where the provider has blocks, attributes otherwise, meta-arguments first and last", () => {
    const text = print({
      type: "resource",
      labels: ["google_sql_database_instance", "main"],
      body: {
        depends_on: [ref("google_service_networking_connection.main")],
        name: "db",
        settings: {
          tier: "db-custom-2-8192",
          user_labels: { "app.name": "x", env: template`e-${ref("var.env")}` },
          backup_configuration: { enabled: true },
          database_flags: [
            { name: "a", value: "on" },
            { name: "long_name", value: "off" },
          ],
        },
        database_version: "MYSQL_8_0",
        lifecycle: { prevent_destroy: true },
        count: ref("var.on ? 1 : 0"),
      },
    });
    expect(text).toBe(`resource "google_sql_database_instance" "main" {
  count = var.on ? 1 : 0

  name             = "db"
  database_version = "MYSQL_8_0"

  settings {
    tier = "db-custom-2-8192"

    user_labels = {
      "app.name" = "x"
      env        = "e-\${var.env}"
    }

    backup_configuration {
      enabled = true
    }

    database_flags {
      name  = "a"
      value = "on"
    }

    database_flags {
      name  = "long_name"
      value = "off"
    }
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_service_networking_connection.main]
}
`);
  });

  test("count within a nested block is an argument, not the number of blocks", () => {
    const text = print({
      type: "resource",
      labels: ["google_container_node_pool", "gpu"],
      body: {
        cluster: ref("google_container_cluster.main.id"),
        node_config: { guest_accelerator: { type: "nvidia-l4", count: 1 } },
      },
    });
    expect(text).toContain(`    guest_accelerator {
      type  = "nvidia-l4"
      count = 1
    }
`);
  });

  test("the blocks of Terraform itself, labels from keys, nested attributes as values", () => {
    const text = print(
      {
        type: "terraform",
        labels: [],
        body: {
          required_version: ">= 1.11",
          required_providers: {
            google: { source: "hashicorp/google", version: "~> 7.45" },
            helm: { source: "hashicorp/helm", version: "~> 3.1" },
          },
          backend: { gcs: { bucket: "state" } },
        },
      },
      {
        type: "variable",
        labels: ["region"],
        body: {
          type: ref("string"),
          validation: { condition: ref('var.region != ""'), error_message: "No region." },
        },
      },
      {
        type: "resource",
        labels: ["helm_release", "x"],
        body: {
          name: "x",
          chart: "c",
          set: [{ name: "a", value: "b" }],
          values: [call("yamlencode", { server: { replicas: 2, tags: ["a", "b"] } })],
        },
      },
      {
        type: "resource",
        labels: ["civo_firewall", "x"],
        body: {
          name: "x",
          dynamic: {
            ingress_rule: { for_each: ref("var.ports"), content: { cidr: ["0.0.0.0/0"], action: "allow" } },
          },
        },
      },
      { type: "moved", labels: [], body: { from: ref("a.b"), to: ref("a.c") } },
    );
    expect(text).toBe(`terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.45"
    }
    helm = {
      source  = "hashicorp/helm"
      version = "~> 3.1"
    }
  }

  backend "gcs" {
    bucket = "state"
  }
}

variable "region" {
  type = string

  validation {
    condition     = var.region != ""
    error_message = "No region."
  }
}

resource "helm_release" "x" {
  name  = "x"
  chart = "c"

  set = [
    {
      name  = "a"
      value = "b"
    },
  ]

  values = [
    yamlencode({
      server = {
        replicas = 2
        tags     = ["a", "b"]
      }
    }),
  ]
}

resource "civo_firewall" "x" {
  name = "x"

  dynamic "ingress_rule" {
    for_each = var.ports

    content {
      cidr   = ["0.0.0.0/0"]
      action = "allow"
    }
  }
}

moved {
  from = a.b
  to   = a.c
}
`);
  });

  test("texts of several lines are heredocs, also with references in them", () => {
    const text = print({
      type: "locals",
      labels: [],
      body: {
        plain: "one\n\n  two ${x}\n",
        referring: template`apiVersion: v1\nname: ${ref("var.name")}\n`,
        indented: "  a\n  b\n",
        unended: "a\nb",
        marked: "EOT\nx\n",
      },
    });
    expect(text).toBe(`locals {
  plain = <<-EOT
    one

      two $\${x}
  EOT

  referring = <<-EOT
    apiVersion: v1
    name: \${var.name}
  EOT

  indented = <<EOT
  a
  b
EOT

  unended = "a\\nb"

  marked = <<-EOT2
    EOT
    x
  EOT2
}
`);
  });

  test("comments stand above what they explain", () => {
    const text = printTerraform([
      {
        kind: "terraform",
        file: "main.tf",
        because: [],
        comment: "Why.\nIn two lines.",
        notes: { cidr_v4: "Not to overlap.", name: "no such part" },
        block: {
          type: "resource",
          labels: ["civo_network", "x"],
          body: { label: "x", cidr_v4: "10.0.0.0/24" },
        },
      },
    ]);
    expect(text).toBe(`# Why.
# In two lines.
resource "civo_network" "x" {
  label = "x"
  # Not to overlap.
  cidr_v4 = "10.0.0.0/24"
}
`);
  });

  test("the same every time, and no value that HCL does not have", () => {
    const block: TerraformBlock = {
      type: "locals",
      labels: [],
      body: { a: [1, { b: undefined, c: null }], d: {} },
    };
    expect(print(block)).toBe(print(block));
    expect(() => print({ type: "locals", labels: [], body: { a: NaN } })).toThrow(RangeError);
  });
});

describe("what is printed is read again as it was", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }).map((value) => value.replaceAll("\r\n", "\n")),
    fc
      .array(fc.constantFrom("a", "\n", " ", "${", "%{", "EOT", '"', "\\", "\t", "$", "}"), { maxLength: 12 })
      .map((parts) => parts.join("")),
  );
  const { value } = fc.letrec<{ value: TerraformValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(text, tie("value"), { maxKeys: 4 }),
      tie("value").map((inner) => call("yamlencode", inner)),
    ),
  }));
  /** Calls of yamlencode are looked through when read. */
  const plain = (value: TerraformValue): unknown => {
    if (value instanceof Call) return plain(value.values[0] ?? null);
    if (Array.isArray(value)) return value.map((item: TerraformValue) => plain(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part ?? null)]));
  };

  test("any data", () => {
    fc.assert(
      fc.property(value, (value) => {
        const printed = print({ type: "locals", labels: [], body: { first: 1, value, last: "x" } });
        const [block] = parseHcl(printed).blocks;
        const read = block?.body.attributes.find(({ name }) => name === "value")?.value;
        expect(read === undefined ? undefined : valueOf(read)).toEqual(plain(value));
      }),
      { numRuns: 1000 },
    );
  });
});
