import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { lintSnippets } from "../../lint/run.ts";
import { snippetsIn } from "../../lint/sources.ts";
import { printTerraform } from "../../print/hcl.ts";
import { checkModule } from "../../schemas/terraform.ts";
import { resourcesOf } from "../../synth.ts";
import { ref } from "../resource.ts";
import {
  bodiesOf,
  filesOf,
  modulesOf,
  planFor,
  shown,
  situation,
  situations,
  terraformOf,
} from "../stage-harness.ts";
import { platformStage } from "./platform-stage.ts";
import { secretExpression } from "./secret-template.ts";

describe.each(situations)("%s", (_, name, settings) => {
  const plan = planFor(name, settings);
  const resources = platformStage(plan);
  const text = printTerraform(terraformOf(resources));

  test("passes the schemas of the providers, and every reference resolves", () => {
    const modules = modulesOf(resources);
    expect(modules.flatMap((module) => checkModule(module, modules))).toEqual([]);
  });

  test("the linter finds nothing", () => {
    const files = Map.groupBy(terraformOf(resources), ({ file }) => file);
    const snippets = [...files].flatMap(([file, blocks]) => snippetsIn(file, printTerraform(blocks)));
    expect(lintSnippets(snippets).findings).toEqual([]);
  });

  test("reads only files that are there", () => {
    const there = filesOf(plan).map(({ path }) => path);
    const read = [...text.matchAll(/file\("\$\{path\.module\}\/([^"]+)"\)/g)].map(([, path = ""]) =>
      posix.normalize(`terraform/platform/${path}`),
    );
    expect(read).toHaveLength(2);
    for (const path of read) expect(there).toContain(path);
  });

  test("reads only outputs that stage cluster has", () => {
    const cluster = terraformOf(resourcesOf(plan.environment)).filter(
      ({ file }) => file === "terraform/cluster/outputs.tf",
    );
    const outputs = bodiesOf(cluster, "output");
    for (const [, output = ""] of text.matchAll(/terraform_remote_state\.cluster\.outputs\.(\w+)/g)) {
      expect([...outputs.keys()]).toContain(output);
    }
    expect(text.includes("terraform_remote_state")).toBe(plan.environment.target.kind !== "kubernetes");
  });

  test("writes every Secret that only Terraform knows, once, in a namespace that is there", () => {
    const written = [...bodiesOf(resources, "resource kubernetes_secret_v1").values()]
      .map((body) => body["metadata"] as { name: string; namespace: unknown })
      .filter(({ name: secret }) => secret !== "repository" && !secret.endsWith("-database-setup"));
    const wanted = plan.secrets.filter(({ writer }) => writer === "terraform");
    expect(written.map((metadata) => metadata.name)).toEqual(wanted.map((secret) => secret.name));
    const early = shown(bodiesOf(resources, "resource kubernetes_namespace_v1").get("component"));
    for (const { namespace } of wanted) expect(early).toContain(namespace);
  });

  test("no value of a Secret is an argument that is kept", () => {
    for (const secret of bodiesOf(resources, "resource kubernetes_secret_v1").values()) {
      expect(Object.keys(secret)).not.toContain("data");
      expect(Object.keys(secret)).toEqual(expect.arrayContaining(["data_wo", "data_wo_revision"]));
    }
    for (const [variable, body] of bodiesOf(resources, "variable")) {
      if (/password|ssh_key/.test(variable)) expect(body).toMatchObject({ ephemeral: true, sensitive: true });
    }
  });
});

test("a database that Civo manages is a Service whose name the component knows", () => {
  const plan = situation("managed databases");
  const resources = platformStage(plan);
  const services = bodiesOf(resources, "resource kubernetes_service_v1");
  expect([...services.keys()]).toEqual(["tracking_database", "zenml_database"]);
  for (const [key, component] of [
    ["tracking_database", plan.tracking],
    ["zenml_database", plan.pipelines],
  ] as const) {
    const [name] = component?.database.host.split(".") ?? [];
    expect(services.get(key)?.["metadata"]).toMatchObject({ name });
    expect(component?.database.host).toBe(`${name}.${component?.namespace}.svc.cluster.local`);
    expect(services.get(key)?.["spec"]).toMatchObject({ port: { port: component?.database.port } });
    expect(services.get(key)?.["spec"]).not.toHaveProperty("selector");
  }
});

test("the database of tracking is made in a server of Civo, by a pod that may do nothing else", () => {
  const plan = situation("managed databases");
  const resources = platformStage(plan);
  const jobs = bodiesOf(resources, "resource kubernetes_job_v1");
  // ZenML makes its own.
  expect([...jobs.keys()]).toEqual(["tracking_database_setup"]);
  const job = shown(jobs.get("tracking_database_setup"));
  expect(job).toContain(`create database ${plan.tracking.database.name}'`);
  expect(job).toContain('"run_as_non_root":true');
  const policies = bodiesOf(resources, "resource kubernetes_network_policy_v1");
  expect(policies.get("tracking_database_setup")?.["spec"]).toMatchObject({
    policy_types: ["Ingress", "Egress"],
    pod_selector: { match_labels: { "app.kubernetes.io/name": "tracking-database-setup" } },
  });
  expect(bodiesOf(platformStage(situation("nothing exposed")), "resource kubernetes_job_v1").size).toBe(0);
});

test("the cluster is named, wherever a kubeconfig may hold several", () => {
  const resources = platformStage(situation("MinIO"));
  expect(printTerraform(terraformOf(resources))).toContain("config_context = var.kube_context");
  const context = bodiesOf(resources, "variable").get("kube_context");
  expect(context).toHaveProperty("validation");
  expect(context).not.toHaveProperty("default");
});

test("templates of Secrets become expressions", () => {
  const valueOf = (input: string) => ref(`local.${input}`);
  expect(shown(secretExpression("{{ .id }}", valueOf))).toBe('"local.id"');
  expect(shown(secretExpression("plain", valueOf))).toBe('"plain"');
  expect(secretExpression('a"{{ .user }}:{{ .password | urlquery }}@${h}', valueOf)).toMatchObject({
    text: '"a\\"${local.user}:${urlencode(local.password)}@$${h}"',
  });
});
