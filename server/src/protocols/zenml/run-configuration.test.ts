import { afterAll, describe, expect, it } from "vitest";
import { startTestServer, type Json } from "../../../test/harness.ts";
import { newSnapshot, projectIdOf, stepOf } from "../../../test/pipelines.ts";

const server = await startTestServer();
afterAll(() => server[Symbol.asyncDispose]());

const project = await projectIdOf(server);
const { pipeline } = await newSnapshot(server, project, { name: "configured" });
const post = async (path: string, body: object): Promise<Json> => {
  const answer = await server.post(`/api/v1${path}`, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};
const component = async (type: string, flavor: string, configuration: object = {}): Promise<string> =>
  (await post("/components", { name: `my-${type}`, type, flavor, configuration })).id;

const stack = (
  await post("/stacks", {
    name: "remote",
    components: {
      orchestrator: [await component("orchestrator", "kubernetes")],
      artifact_store: [await component("artifact_store", "s3", { path: "s3://bucket" })],
      experiment_tracker: [
        await component("experiment_tracker", "wandb", { entity: "e", project_name: "p", api_key: "k" }),
      ],
    },
  })
).id;
const build = (
  await post("/pipeline_builds", { project, pipeline, stack, is_local: false, contains_code: true })
).id;

const made = async (more: object = {}): Promise<string> => {
  const { id } = await post("/pipeline_snapshots", {
    project,
    pipeline,
    stack,
    build,
    run_name_template: "run",
    pipeline_configuration: {
      name: "configured",
      parameters: { size: 1 },
      enable_cache: false,
      settings: { docker: { user: "me" }, resources: { cpu_count: 2, memory: null } },
      success_hook_source: "hooks.notify",
      retry: { max_retries: 2 },
    },
    step_configurations: {
      train: stepOf("train", {
        config: { parameters: { _rate: 0.5, decay: null }, cache_policy: { include_step_code: false } },
      }),
      typed: stepOf("typed", {
        spec: {
          parameter_spec: {
            $defs: { Model: { type: "string" } },
            properties: { m: { $ref: "#/$defs/Model" } },
          },
        },
        config: { parameters: { m: "x" } },
      }),
      plain: stepOf("plain"),
    },
    ...more,
  });
  return id;
};
const schemaOf = async (id: string, query = "include_config_schema=true"): Promise<Json> =>
  (await server.get(`/api/v1/pipeline_snapshots/${id}?${query}`)).json.metadata;

describe("what can be said when a snapshot is run", () => {
  it("begins with what it says itself, without what nobody set", async () => {
    const { config_template: template } = await schemaOf(await made());
    expect(template).toStrictEqual({
      run_name: "run",
      enable_cache: false,
      settings: { resources: { cpu_count: 2 } },
      success_hook_source: "hooks.notify",
      retry: { max_retries: 2 },
      steps: {
        train: { parameters: { _rate: 0.5, decay: null }, cache_policy: { include_step_code: false } },
        typed: { parameters: { m: "x" } },
        plain: {},
      },
    });
  });

  it("is described by its steps, their parameters and the components of its stack", async () => {
    const { config_schema: schema } = await schemaOf(await made());
    const { $defs: defs, properties, required } = schema;
    expect(required).toStrictEqual(["steps"]);
    expect(properties).not.toHaveProperty("parameters");
    expect(defs.Steps).toMatchObject({
      required: ["train", "typed"],
      properties: {
        train: { $ref: "#/$defs/train" },
        plain: { anyOf: [{ $ref: "#/$defs/plain" }, { type: "null" }] },
      },
    });
    expect(defs.train_parameters).toStrictEqual({
      properties: { _rate: { title: "Rate" }, decay: { title: "Decay" } },
      required: ["_rate", "decay"],
      title: "train_parameters",
      type: "object",
    });
    // What a step calls by a name that is taken gets another one.
    expect(defs.typed.properties.parameters).toStrictEqual({
      properties: { m: { $ref: "#/$defs/typed__Model" } },
    });
    expect(defs.typed__Model).toStrictEqual({ type: "string" });
    expect(Object.keys(defs.Settings.properties)).toStrictEqual(
      expect.arrayContaining([
        "resources",
        "orchestrator:my-orchestrator",
        "experiment_tracker:my-experiment_tracker",
      ]),
    );
    expect(defs.plain.properties.experiment_tracker.anyOf[0]).toStrictEqual({
      enum: ["my-experiment_tracker"],
      type: "string",
    });
    const references = JSON.stringify(schema).matchAll(/#\/\$defs\/([^"]+)/g);
    for (const [, name] of references) expect(defs).toHaveProperty([String(name)]);
    expect(defs.plain.properties).not.toHaveProperty("runtime");
  });

  it("has parameters of the pipeline where it is dynamic", async () => {
    const { config_schema: schema, config_template: template } = await schemaOf(
      await made({ is_dynamic: true }),
    );
    expect(schema.$defs.Parameters).toMatchObject({
      properties: { size: { title: "Size" } },
      required: ["size"],
    });
    expect(schema.$defs.plain.properties.runtime).toBeDefined();
    expect(template.parameters).toStrictEqual({ size: 1 });
  });

  it("is about all steps, whichever are shown", async () => {
    const metadata = await schemaOf(
      await made(),
      "include_config_schema=true&step_configuration_filter=plain",
    );
    expect(Object.keys(metadata.step_configurations)).toStrictEqual(["plain"]);
    expect(Object.keys(metadata.config_template.steps)).toStrictEqual(["train", "typed", "plain"]);
  });

  it("is nothing where nobody asks, or nothing was built", async () => {
    expect(await schemaOf(await made(), "")).toMatchObject({ config_template: null, config_schema: null });
    expect(await schemaOf(await made({ build: null }))).toMatchObject({
      config_template: null,
      config_schema: null,
    });
  });

  it("stands in templates, too", async () => {
    const source = await made();
    const { id } = await post("/run_templates", { project, name: "template", source_snapshot_id: source });
    const { metadata } = (await server.get(`/api/v1/run_templates/${id}`)).json;
    const { config_template: template, config_schema: schema } = await schemaOf(source);
    expect(metadata).toMatchObject({ config_template: template, config_schema: schema });
  });
});
