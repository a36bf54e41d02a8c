// The stand-in of ZenML's provider sends to Plinth, for the recorded configuration, what the real one was recorded to send:
// methods, paths, queries and bodies with their members in order. What Terraform does side by side comes in any order.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findTerraform } from "../infra/tools.ts";
import { startGuardedPlinth, type Target } from "../src/target.ts";
import {
  keyIn,
  openWorkshop,
  plinthLines,
  startRecorder,
  type Folder,
  type Recorder,
  type Workshop,
} from "./terraform.ts";

const configuration = `
terraform {
  required_providers {
    zenml = {
      source  = "zenml-io/zenml"
      version = "3.0.6"
    }
  }
}

provider "zenml" {}

variable "tag" {
  default = "a"
}

data "zenml_server" "this" {}

resource "zenml_project" "team" {
  name         = "held-team"
  display_name = "Held team"
  description  = "first \${var.tag}"
}

resource "zenml_service_connector" "aws" {
  name          = "held-aws"
  type          = "aws"
  auth_method   = "secret-key"
  resource_type = "s3-bucket"
  verify        = false
  configuration = { aws_access_key_id = "AKIAEXAMPLE", aws_secret_access_key = "x", region = "eu-west-1" }
  labels        = { owner = "platform", tag = var.tag }
}

resource "zenml_stack_component" "store" {
  name                  = "held-store"
  type                  = "artifact_store"
  flavor                = "s3"
  configuration         = { path = "s3://bucket/projects/held/\${var.tag}" }
  connector_id          = zenml_service_connector.aws.id
  connector_resource_id = "bucket"
  labels                = { tag = var.tag }
}

resource "zenml_stack_component" "orchestrator" {
  name   = "held-orch"
  type   = "orchestrator"
  flavor = "local"
}

resource "zenml_stack" "held" {
  name = "held-stack"
  components = {
    artifact_store = zenml_stack_component.store.id
    orchestrator   = zenml_stack_component.orchestrator.id
  }
  labels = { team = "held", tag = var.tag }
}

data "zenml_stack" "held" {
  name       = "held-stack"
  depends_on = [zenml_stack.held]
}
`;

const trace = readFileSync(join(import.meta.dirname, "terraform-trace.txt"), "utf8");
const recorded = trace
  .split("### terraform ")
  .slice(1)
  .map((part) => {
    const [command = "", ...lines] = part.trim().split("\n");
    return { command, lines };
  });

const anyId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const sorted = (lines: readonly string[]): string[] => [...lines].sort();

/** What is made, changed or deleted in the order in which one needs the other: a connector, the store with it, the stack. */
const chain = (lines: readonly string[]): string[] =>
  lines
    .filter(
      (line) => !line.startsWith("GET") && (!line.includes("/components") || line.includes('"connector"')),
    )
    .map((line) => /^\S+ [^ ?]+/.exec(line)?.[0] ?? "")
    .filter((step) => !step.includes("/projects"));

describe.skipIf(findTerraform() === undefined)("the recorded configuration", () => {
  let target: Target;
  let workshop: Workshop;
  let recorder: Recorder;
  let folder: Folder;
  let key = "";

  beforeAll(async () => {
    [target, workshop] = await Promise.all([startGuardedPlinth(), openWorkshop()]);
    recorder = await startRecorder(target.url);
    // Projects are made by administrators.
    key = keyIn(await plinthLines("plinth key create trace --for admin", target.dataDir ?? ""));
    folder = await workshop.open("trace", { "main.tf": configuration });
  });
  afterAll(async () => {
    await recorder?.stop();
    workshop?.dispose();
    if (target) expect(await target.stop()).toBe(0);
  });

  it("was recorded from the first apply to the end", () => {
    expect(recorded.map(({ command }) => command)).toEqual([
      "apply -auto-approve",
      "plan -detailed-exitcode",
      "apply -auto-approve -var tag=b",
      "plan -detailed-exitcode -var tag=b",
      "destroy -auto-approve",
    ]);
  });

  it.each(recorded)("terraform $command", async ({ command, lines }) => {
    const env = { ZENML_SERVER_URL: recorder.url, ZENML_API_KEY: key };
    const done = await folder.run([...command.split(" "), "-input=false"], env);
    expect(done.code, done.output).toBe(0);
    const sent = recorder.take();
    const logins = sent.filter(({ path }) => path === "/api/v1/login");
    for (const { body } of logins) expect(body).toBe(`password=${key}`);
    const own = sent.filter(({ path }) => path !== "/api/v1/login");
    expect(own.filter(({ status }) => status !== 200)).toEqual([]);
    const said = own.map(({ method, path, body }) =>
      `${method} ${path} ${body}`.trim().replaceAll(anyId, "<id>"),
    );
    expect(sorted(said)).toEqual(sorted(lines));
    // A connector before what uses it, that before the stack, and the other way round at the end.
    expect(chain(said)).toEqual(chain(lines));
    // The real one was told no end of its token, and logged in before every request. Here each process of a provider logs in
    // once: it asks for the server's version when it starts, and the data source asks for it once more.
    const starts = lines.filter((line) => line === "GET /api/v1/info").length - 1;
    expect(logins.length).toBe(starts);
  });
});
