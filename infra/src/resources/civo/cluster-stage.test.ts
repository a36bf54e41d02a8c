import { describe, expect, test } from "vitest";
import { lintSnippets } from "../../lint/run.ts";
import { snippetsIn } from "../../lint/sources.ts";
import { printTerraform } from "../../print/hcl.ts";
import { checkModule } from "../../schemas/terraform.ts";
import { Expression, type TerraformBody } from "../resource.ts";
import { bodiesOf, modulesOf, planFor, shown, situation, situations, terraformOf } from "../stage-harness.ts";
import { civoClusterStage, cloudValues } from "./cluster-stage.ts";

const onCivo = situations.filter(([title]) => title.startsWith("Civo"));

describe.each(onCivo)("%s", (_, name, settings) => {
  const plan = planFor(name, settings);
  const resources = civoClusterStage(plan);

  test("passes the schema of the provider, and every reference and call resolves", () => {
    const modules = modulesOf(resources);
    expect(modules.map(({ folder }) => folder)).toContain("terraform/cluster");
    expect(modules.flatMap((module) => checkModule(module, modules))).toEqual([]);
  });

  test("the linter finds nothing", () => {
    const files = Map.groupBy(terraformOf(resources), ({ file }) => file);
    const snippets = [...files].flatMap(([file, blocks]) => snippetsIn(file, printTerraform(blocks)));
    expect(lintSnippets(snippets).findings).toEqual([]);
  });

  test("every block says which setting it is there for", () => {
    for (const { because, block } of resources.filter((one) => one.kind === "terraform")) {
      expect(because.length, block.labels.join(".")).toBeGreaterThan(0);
      for (const { setting } of because) {
        expect(Object.keys(plan.environment)).toContain(setting.split(".")[0]);
      }
    }
  });

  test("every firewall has rules of its own alone, and the Kubernetes API is for administrators", () => {
    const firewalls = [...bodiesOf(resources, "resource civo_firewall").values()];
    expect(firewalls.length).toBeGreaterThan(0);
    for (const firewall of firewalls) expect(firewall).toMatchObject({ create_default_rules: false });
    const rules = firewalls[0]?.["ingress_rule"] as readonly TerraformBody[];
    const api = rules.filter(({ port_range: ports }) => ports === "6443");
    expect(api.map(({ cidr }) => shown(cidr))).toEqual(['"var.admin_cidrs"']);
  });

  test("a bucket belongs to the credential that is given to its user", () => {
    const stores = bodiesOf(resources, "resource civo_object_store");
    expect(shown(stores.get("main")?.["access_key_id"])).toBe(
      '"civo_object_store_credential.main[each.key].access_key_id"',
    );
  });

  test("what holds credentials is an output that is not shown", () => {
    for (const [output, body] of bodiesOf(resources, "output")) {
      const value = shown(body["value"]);
      if (/secret|password|credential/.test(`${output} ${value}`)) {
        expect(body["sensitive"], output).toBe(true);
      }
    }
    expect(bodiesOf(resources, "resource civo_kubernetes_cluster").get("main")).toMatchObject({
      write_kubeconfig: false,
    });
  });

  test("hands over every credential that a Secret of the platform stage is made from", () => {
    const handedOver = Object.keys(cloudValues(plan));
    for (const { inputs, writer } of plan.secrets) {
      if (writer === "terraform") {
        for (const { entry } of Object.values(inputs)) expect(handedOver).toContain(entry);
      }
    }
  });
});

test("other clouds have none of it", () => {
  expect(civoClusterStage(situation("Google Cloud"))).toEqual([]);
  expect(civoClusterStage(situation("MinIO"))).toEqual([]);
});

test("ports of the Gateway are open only when something has a route, and to those it is for", () => {
  const sources = (title: string): unknown =>
    bodiesOf(civoClusterStage(situation(title)), "module").get("network")?.["https_cidrs"];
  expect(sources("nothing exposed")).toBeUndefined();
  expect(sources("known networks alone")).toEqual(["192.0.2.0/24", "198.51.100.0/24"]);
  expect(sources("managed databases")).toEqual(["0.0.0.0/0"]);
  const closed = bodiesOf(civoClusterStage(situation("nothing exposed")), "resource civo_firewall");
  expect(shown(closed.get("cluster"))).not.toMatch(/"(80|443)"/);
});

test("production is protected from being destroyed, development is not", () => {
  const protectedBy = (title: string): unknown[] =>
    ["civo_kubernetes_cluster", "civo_object_store", "civo_database"].map(
      (type) => bodiesOf(civoClusterStage(situation(title)), `resource ${type}`).get("main")?.["lifecycle"],
    );
  const kept = { prevent_destroy: true };
  expect(protectedBy("managed databases")).toEqual([kept, kept, kept]);
  expect(protectedBy("nothing exposed").every((lifecycle) => lifecycle === undefined)).toBe(true);
});

test("backups of databases in the cluster are in the backup region, beside copies of artifacts", () => {
  const plan = situation("copies elsewhere");
  const modules = bodiesOf(civoClusterStage(plan), "module");
  expect(modules.get("backup_storage")).toMatchObject({
    region: "FRA1",
    buckets: { backups: plan.buckets.backups, copies: `${plan.buckets.artifacts}-copy` },
  });
  expect(plan.backupStore.endpoint).toBe("https://objectstore.fra1.civo.com");
  expect(plan.store.endpoint).toBe("https://objectstore.lon1.civo.com");
});

test("nothing names a host at Civo with a hyphen or in capitals", () => {
  for (const [, name, settings] of onCivo) {
    const text = printTerraform(terraformOf(civoClusterStage(planFor(name, settings))));
    expect(text).not.toMatch(/object-store\.[a-z]+1\.civo|objectstore\.[A-Z]/);
  }
});

test("an accelerator's nodes carry its taint and the label that models ask for", () => {
  const pool = bodiesOf(
    civoClusterStage(situation("managed databases")),
    "resource civo_kubernetes_node_pool",
  );
  expect(pool.get("gpu")).toMatchObject({ taint: { effect: "NoSchedule" } });
  expect(pool.get("gpu")?.["labels"]).toBeInstanceOf(Expression);
  expect(shown(pool.get("gpu")?.["labels"])).toContain("plinth/gpu-pool");
});
