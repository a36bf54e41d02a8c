import { describe, expect, test } from "vitest";
import { printTerraform } from "../../print/hcl.ts";
import { zenmlCatalogue } from "../../schemas/client-tables.ts";
import { checkModule } from "../../schemas/terraform.ts";
import { merge, type JsonObject } from "../../spec/merge.ts";
import { resourcesOf } from "../../synth.ts";
import type { Resource } from "../resource.ts";
import {
  bodiesOf,
  modulesOf,
  planFor,
  settingsOf,
  shown,
  situations,
  situation,
  terraformOf,
} from "../stage-harness.ts";
import { stacksStage } from "./stacks-stage.ts";

const withServer = situations.filter(([, name, settings]) => planFor(name, settings).pipelines !== undefined);

describe.each(withServer)("%s", (_, name, settings) => {
  const plan = planFor(name, settings);
  const resources = stacksStage(plan);

  test("passes the schema of the provider, and every reference resolves", () => {
    const modules = modulesOf(resources);
    expect(modules.flatMap((module) => checkModule(module, modules))).toEqual([]);
  });

  test("every component is of a flavor that ZenML has, with settings that it has", () => {
    const components = [...bodiesOf(resources, "resource zenml_stack_component").values()];
    expect(components).toHaveLength(5);
    for (const { type, flavor, configuration = {} } of components) {
      const keys = zenmlCatalogue().flavors[String(type)]?.[String(flavor)];
      expect(keys, `${String(type)} ${String(flavor)}`).toBeDefined();
      expect(keys?.fields).toEqual(expect.arrayContaining(Object.keys(configuration as object)));
      expect(Object.keys(configuration as object)).toEqual(expect.arrayContaining(keys?.required ?? []));
    }
  });

  test("reads only outputs that stage cluster has", () => {
    const outputs = bodiesOf(
      terraformOf(resourcesOf(plan.environment)).filter(
        ({ file }) => file === "terraform/cluster/outputs.tf",
      ),
      "output",
    );
    const text = printTerraform(terraformOf(resources));
    for (const [, output = ""] of text.matchAll(/terraform_remote_state\.cluster\.outputs\.(\w+)/g)) {
      expect([...outputs.keys()]).toContain(output);
    }
  });
});

test("without ZenML's server there is nothing to register", () => {
  expect(stacksStage(situation("secret store"))).toEqual([]);
});

const configured = (change: JsonObject = {}): Resource[] => {
  const connector = merge(
    {
      name: "gcs",
      type: "gcp",
      authMethod: "impersonation",
      resourceType: "gcs-bucket",
      resourceId: "gs://acme-artifacts",
      configuration: { target_principal: "zenml@acme-mlops.iam.gserviceaccount.com" },
    },
    change,
  );
  return stacksStage(
    planFor(
      "prod",
      merge(settingsOf("Google Cloud"), {
        stacks: {
          connectors: [connector],
          components: [
            {
              name: "artifacts",
              type: "artifact_store",
              flavor: "gcp",
              configuration: { path: "gs://acme-artifacts" },
              connector: "gcs",
            },
            {
              name: "k8s",
              type: "orchestrator",
              flavor: "kubernetes",
              configuration: { incluster: true, max_parallelism: 4 },
            },
          ],
          stacks: [
            {
              name: "team-a",
              components: { artifact_store: "artifacts", orchestrator: "k8s" },
              labels: { team: "a" },
            },
          ],
        },
      }),
    ),
  );
};

describe("stacks of the configuration", () => {
  const resources = configured();

  test("pass the schema of the provider", () => {
    const modules = modulesOf(resources);
    expect(modules.flatMap((module) => checkModule(module, modules))).toEqual([]);
  });

  test("secrets that a connector needs are asked for, and values are strings", () => {
    expect(bodiesOf(resources, "variable").get("gcs_service_account_json")).toMatchObject({
      sensitive: true,
    });
    expect(shown(bodiesOf(resources, "resource zenml_service_connector").get("gcs"))).toContain(
      '"service_account_json":"var.gcs_service_account_json"',
    );
    expect(bodiesOf(resources, "resource zenml_stack_component").get("k8s")?.["configuration"]).toEqual({
      incluster: "true",
      max_parallelism: "4",
    });
  });

  test("a component with a connector names the resource, and the stack names components by type", () => {
    const artifacts = bodiesOf(resources, "resource zenml_stack_component").get("artifacts");
    expect(artifacts).toMatchObject({ connector_resource_id: "gs://acme-artifacts" });
    expect(shown(bodiesOf(resources, "resource zenml_stack").get("team_a"))).toContain(
      '"artifact_store":"zenml_stack_component.artifacts.id"',
    );
  });

  test("a name changes with what cannot be changed in place, and with nothing else", () => {
    const names = (of: readonly Resource[]): unknown[] => [
      bodiesOf(of, "resource zenml_service_connector").get("gcs")?.["name"],
      bodiesOf(of, "resource zenml_stack_component").get("artifacts")?.["name"],
      bodiesOf(of, "resource zenml_stack_component").get("k8s")?.["name"],
    ];
    const before = names(resources);
    expect(
      names(configured({ configuration: { target_principal: "other@acme-mlops.iam.gserviceaccount.com" } })),
    ).toEqual(before);
    const moved = names(configured({ resourceId: "gs://other" }));
    expect(moved[0]).not.toBe(before[0]);
    // The connector has another id then, which replaces what uses it.
    expect(moved[1]).not.toBe(before[1]);
    expect(moved[2]).toBe(before[2]);
    for (const body of bodiesOf(resources, "resource zenml_stack_component").values()) {
      expect(body["lifecycle"]).toEqual({ create_before_destroy: true });
    }
  });
});
