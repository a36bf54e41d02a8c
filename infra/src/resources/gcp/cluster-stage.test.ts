import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { parseHcl } from "../../hcl/parse.ts";
import { lintSnippets } from "../../lint/run.ts";
import { snippetsIn } from "../../lint/sources.ts";
import type { TerraformModule } from "../../lint/workspace.ts";
import { bucketsOf, googleServiceAccount } from "../../names.ts";
import { printTerraform } from "../../print/hcl.ts";
import { checkModule } from "../../schemas/terraform.ts";
import type { JsonObject } from "../../spec/merge.ts";
import { Expression, type TerraformBody, type TerraformResource } from "../resource.ts";
import { gcpClusterStage } from "./cluster-stage.ts";
import { disaster, planFor, situations, stageOf, standard } from "./situations.ts";

function modulesOf(resources: readonly TerraformResource[]): TerraformModule[] {
  const files = Map.groupBy(resources, ({ file }) => file);
  const modules = new Map<string, TerraformModule>();
  for (const [file, blocks] of files) {
    const folder = dirname(file);
    const module = modules.get(folder) ?? { folder, excerpt: false, files: [], variables: [] };
    module.files.push({ file, body: parseHcl(printTerraform(blocks)) });
    modules.set(folder, module);
  }
  return [...modules.values()];
}

/** Bodies of all resources of a type, by name. */
function bodies(resources: readonly TerraformResource[], type: string): Map<string, TerraformBody> {
  return new Map(
    resources
      .filter(({ block }) => block.type === "resource" && block.labels[0] === type)
      .map(({ block }) => [block.labels[1] ?? "", block.body]),
  );
}

function body(resources: readonly TerraformResource[], address: string): TerraformBody {
  const [type = "", name = ""] = address.split(".");
  const found = bodies(resources, type).get(name);
  if (found === undefined) throw new Error(`no ${address}`);
  return found;
}

const shown = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (part instanceof Expression ? part.text : part)) ?? "";

describe.each(situations)("%s", (_, name, change) => {
  const plan = planFor(name, change);
  const resources = stageOf(plan);

  test("passes the schema of the provider, and every reference resolves", () => {
    const modules = modulesOf(resources);
    expect(modules.flatMap((module) => checkModule(module, modules))).toEqual([]);
  });

  test("the linter finds nothing", () => {
    const files = Map.groupBy(resources, ({ file }) => file);
    const snippets = [...files].flatMap(([file, blocks]) => snippetsIn(file, printTerraform(blocks)));
    expect(lintSnippets(snippets).findings).toEqual([]);
  });

  test("every block says which setting it is there for", () => {
    for (const { because, block } of resources) {
      expect(because.length, block.labels.join(".")).toBeGreaterThan(0);
      for (const { setting, why } of because) {
        expect(Object.keys(plan.environment)).toContain(setting.split(".")[0]);
        expect(why).not.toMatch(/undefined/);
      }
    }
  });

  test("no value of a secret stands in the files, and no name is too long", () => {
    const text = resources.map((resource) => printTerraform([resource])).join("\n");
    expect(text).not.toMatch(/undefined|\[object/);
    for (const version of bodies(resources, "google_secret_manager_secret_version").values()) {
      expect(version["secret_data_wo"]).toBeInstanceOf(Expression);
      expect(version).not.toHaveProperty("secret_data");
    }
    for (const account of bodies(resources, "google_service_account").values()) {
      expect(String(account["account_id"]).length).toBeLessThanOrEqual(30);
    }
    for (const bucket of bodies(resources, "google_storage_bucket").values()) {
      expect(bucket["name"]).toMatch(/^[a-z0-9-]{3,63}$/);
    }
  });

  test("nothing is public, nothing is destroyed by accident", () => {
    const kept = name !== "dev";
    for (const bucket of bodies(resources, "google_storage_bucket").values()) {
      expect(bucket).toMatchObject({
        uniform_bucket_level_access: true,
        public_access_prevention: "enforced",
        force_destroy: false,
        versioning: { enabled: true },
      });
      expect("encryption" in bucket).toBe(kept);
    }
    for (const instance of bodies(resources, "google_sql_database_instance").values()) {
      expect(instance).toMatchObject({
        deletion_protection: kept,
        settings: {
          deletion_protection_enabled: kept,
          ip_configuration: { ipv4_enabled: false, ssl_mode: "ENCRYPTED_ONLY" },
        },
      });
    }
    for (const key of bodies(resources, "google_kms_crypto_key").values()) {
      expect(key).toMatchObject({ rotation_period: "7776000s", lifecycle: { prevent_destroy: true } });
    }
    expect(body(resources, "google_container_cluster.main")).toMatchObject({
      deletion_protection: kept,
      private_cluster_config: { enable_private_nodes: true },
    });
    const members = resources.map(({ block }) => shown(block.body["member"]));
    expect(members.filter((member) => /allUsers|allAuthenticatedUsers/.test(member))).toEqual([]);
  });

  test("each entry of Secret Manager is there, and read only where it is needed", () => {
    const { secrets } = plan.environment;
    const inputs = plan.secrets
      .filter(({ writer }) => writer === "secrets")
      .flatMap(({ namespace, inputs: of }) => Object.values(of).map((input) => ({ namespace, input })));
    const entries = bodies(resources, "google_secret_manager_secret");
    const ids = [...entries.values()].map((entry) => String(entry["secret_id"]));
    if (secrets.engine !== "external-secrets") {
      expect(ids).toEqual([]);
      return;
    }
    expect(ids.sort()).toEqual([...new Set(inputs.map(({ input }) => input.entry))].sort());
    const readers = [...bodies(resources, "google_secret_manager_secret_iam_member").values()].map(
      (reader) => `${shown(reader["secret_id"])} ${shown(reader["member"])}`,
    );
    const wanted = new Set(inputs.map(({ namespace, input }) => `${input.entry} ${namespace}`));
    expect(readers).toHaveLength(wanted.size);
    for (const [id, entry] of entries) {
      const given = inputs.some(
        ({ input }) => input.entry === entry["secret_id"] && input.origin === "given",
      );
      expect(bodies(resources, "google_secret_manager_secret_version").has(id)).toBe(!given);
      for (const { namespace } of inputs.filter(({ input }) => input.entry === entry["secret_id"])) {
        const reader = readers.find(
          (one) => one.includes(`.${id}.id`) && one.includes(`/subject/ns/${namespace}/sa/secret-reader`),
        );
        expect(reader, id).toBeDefined();
      }
    }
  });
});

test("Autopilot has none of the arguments that exclude it", () => {
  const cluster = body(stageOf(planFor("prod", {})), "google_container_cluster.main");
  expect(cluster["enable_autopilot"]).toBe(true);
  for (const refused of [
    "node_pool",
    "remove_default_node_pool",
    "network_policy",
    "enable_shielded_nodes",
    "node_config",
  ]) {
    expect(cluster).not.toHaveProperty(refused);
  }
  expect(cluster["cluster_autoscaling"]).not.toHaveProperty("enabled");
  expect(cluster["cluster_autoscaling"]).not.toHaveProperty("resource_limits");
});

test("Standard mode has its pools, with a taint on those with accelerators", () => {
  const resources = stageOf(planFor("prod", standard));
  expect(body(resources, "google_container_cluster.main")).not.toHaveProperty("enable_autopilot");
  expect([...bodies(resources, "google_container_node_pool").keys()]).toEqual(["general", "l4"]);
  expect(body(resources, "google_container_node_pool.l4")).toMatchObject({
    node_config: {
      machine_type: "g2-standard-8",
      labels: { "plinth/gpu-pool": "l4" },
      guest_accelerator: { type: "nvidia-l4", count: 1 },
      taint: { key: "nvidia.com/gpu", effect: "NO_SCHEDULE" },
    },
  });
});

test("each dialect goes back in time by its own argument", () => {
  const resources = stageOf(planFor("prod", disaster));
  const backup = (of: string): unknown =>
    (body(resources, `google_sql_database_instance.${of}`)["settings"] as TerraformBody)[
      "backup_configuration"
    ];
  expect(backup("tracking")).toMatchObject({
    point_in_time_recovery_enabled: true,
    location: "europe-west4",
  });
  expect(backup("tracking")).not.toHaveProperty("binary_log_enabled");
  expect(backup("zenml")).toMatchObject({
    binary_log_enabled: true,
    location: "europe-west4",
    start_time: "02:00",
  });
  expect(backup("zenml")).not.toHaveProperty("point_in_time_recovery_enabled");
});

test("a second region has copies of everything that would be lost", () => {
  const plan = planFor("prod", disaster);
  const resources = stageOf(plan);
  expect(body(resources, "google_sql_database_instance.tracking_replica")).toMatchObject({
    region: "europe-west4",
  });
  for (const bucket of bodies(resources, "google_storage_bucket").values()) {
    expect(bucket).toMatchObject({
      location: "EU",
      custom_placement_config: { data_locations: ["EUROPE-WEST1", "EUROPE-WEST4"] },
    });
  }
  expect(body(resources, "google_kms_key_ring.storage")).toMatchObject({ location: "europe" });
  expect(body(resources, "google_artifact_registry_repository.images")).toMatchObject({ location: "europe" });
  expect(body(resources, "google_gke_backup_backup_plan.main")).toMatchObject({ location: "europe-west4" });
  const { tracking } = plan.environment;
  expect("image" in tracking && tracking.image).toMatch(/^europe-docker\.pkg\.dev\/acme-mlops\/acme-prod\//);
});

test("databases are found by the names that the plan has for them", () => {
  const plan = planFor("prod", disaster);
  const resources = stageOf(plan);
  expect(body(resources, "google_dns_managed_zone.internal")).toMatchObject({
    dns_name: "acme-prod.internal.",
  });
  expect(body(resources, "google_dns_record_set.tracking_database")["name"]).toBe(
    `${plan.tracking.database.host}.`,
  );
  expect(body(resources, "google_dns_record_set.zenml_database")["name"]).toBe(
    `${plan.pipelines?.database.host}.`,
  );
  for (const record of bodies(resources, "google_dns_record_set").values())
    expect(record["name"]).toMatch(/\.$/);
  expect(body(resources, "google_sql_user.zenml")["name"]).toBe(plan.pipelines?.database.user);
});

test("components act as their own service account, the chart's migration too", () => {
  const plan = planFor("prod", {
    ...disaster,
    tracking: { engine: "mlflow", exposure: { kind: "cluster" } },
  });
  const resources = stageOf(plan);
  const members = [...bodies(resources, "google_service_account_iam_member").values()].map((one) =>
    shown(one["member"]),
  );
  for (const actor of ["tracking/mlflow", "zenml/zenml", "zenml/zenml-db-migration", "models/model-reader"]) {
    expect(members.filter((member) => member.includes(`[${actor}]`))).toHaveLength(1);
  }
  expect(googleServiceAccount(plan.environment, "zenml")).toBe(
    "acme-prod-zenml@acme-mlops.iam.gserviceaccount.com",
  );
  expect(body(resources, "google_service_account.zenml")["account_id"]).toBe("acme-prod-zenml");
  expect(bodies(resources, "google_storage_hmac_key").size).toBe(0);
  expect([...bodies(resources, "google_project_iam_member").keys()]).toEqual(["nodes"]);
});

test("models that lie among the artifacts may be read there", () => {
  const { artifacts } = bucketsOf(planFor("prod", {}).environment);
  const serving = (storage: string): JsonObject => ({
    serving: { engine: "kserve", models: [{ name: "m", format: "onnx", storage }] },
  });
  const grants = (storage: string): string[] => [
    ...bodies(stageOf(planFor("prod", serving(storage))), "google_storage_bucket_iam_member").keys(),
  ];
  expect(grants(`gs://${artifacts}/1/model`)).toContain("artifacts_models");
  expect(grants("m/1")).not.toContain("artifacts_models");
});

test("given values are put in by commands that ask for them", () => {
  const outputs = stageOf(planFor("prod", disaster)).find(
    ({ block }) => block.labels[0] === "secret_commands",
  );
  const commands = outputs?.block.body["value"] as Record<string, string>;
  expect(Object.keys(commands)).toEqual(["zenml-admin", "zenml-users"]);
  expect(commands["zenml-admin"]).toBe(
    "read -rsp 'password: ' password && export password && jq -n '{\"password\": env.password}' | gcloud secrets versions add zenml-admin --project=acme-mlops --data-file=-",
  );
});

test("only Google Cloud has this stage", () => {
  const plan = planFor("prod", {});
  expect(
    gcpClusterStage({
      ...plan,
      environment: {
        ...plan.environment,
        target: { kind: "kubernetes", storageClass: "standard", gpuPools: [] },
      },
    }),
  ).toEqual([]);
});
