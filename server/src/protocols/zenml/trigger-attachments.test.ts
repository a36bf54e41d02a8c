import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startTestServer, type Answer, type Json } from "../../../test/harness.ts";
import { newRun, projectIdOf, stepOf } from "../../../test/pipelines.ts";
import { withHeaders } from "../../../test/workspaces.ts";

const server = await startTestServer();
afterAll(() => server[Symbol.asyncDispose]());
const client = withHeaders(server, { "user-agent": "zenml/0.98.0" });

const API = "/api/v1";
const project = await projectIdOf(server);

const post = async (path: string, body: object): Promise<Json> => {
  const answer = await client.post(`${API}${path}`, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};
const get = async (path: string): Promise<Json> => {
  const answer = await client.get(`${API}${path}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};

/** A stack that is nowhere near, as servers need it. */
const names = {
  orchestrator: `o-${randomUUID()}`,
  registry: `r-${randomUUID()}`,
  store: `s-${randomUUID()}`,
};
const component = async (type: string, flavor: string, given: [string, object]): Promise<string> =>
  (await post("/components", { type, flavor, name: given[0], configuration: given[1] })).id;
const stack = (
  await post("/stacks", {
    name: `stack-${randomUUID()}`,
    components: {
      orchestrator: [
        await component("orchestrator", "kubernetes", [names.orchestrator, { incluster: true }]),
      ],
      container_registry: [
        await component("container_registry", "dockerhub", [names.registry, { uri: "docker.io/team" }]),
      ],
      artifact_store: [await component("artifact_store", "s3", [names.store, { path: "s3://bucket" }])],
    },
  })
).id;
const KEY = `orchestrator:${names.orchestrator}`;

async function newSource(more: object = {}, version = "0.98.0"): Promise<string> {
  const pipeline = (await post("/pipelines", { project, name: `p-${randomUUID()}` })).id;
  const build = await post("/pipeline_builds", {
    project,
    pipeline,
    stack,
    is_local: false,
    contains_code: true,
    images: { orchestrator: { image: "x" } },
    zenml_version: version,
  });
  const { id } = await post("/pipeline_snapshots", {
    project,
    pipeline,
    stack,
    build: build.id,
    name: `n-${randomUUID()}`,
    description: "what it is for",
    run_name_template: "x-{date}",
    pipeline_configuration: { name: "x", settings: { orchestrator: { timeout: 5 } }, extra: { a: 1 } },
    step_configurations: {
      one: stepOf("one", { config: { parameters: { lr: 1, n: 2 } } }),
      two: stepOf("two", { upstream: ["one"], config: { extra: { own: 1 } } }),
    },
    client_environment: { os: "linux" },
    client_version: "0.98.0",
    server_version: "0.98.0",
    pipeline_spec: { version: "0.5", parameters: { p: 1 }, steps: [] },
    ...more,
  });
  return id;
}
const source = await newSource();

const newTrigger = async (): Promise<string> =>
  (
    await post("/triggers", {
      project,
      name: `t-${randomUUID()}`,
      type: "schedule",
      cron_expression: "0 0 * * *",
    })
  ).id;

const attach = (
  trigger: string,
  update: unknown,
  { of = source, headers = {} }: { of?: string; headers?: Record<string, string> } = {},
): Promise<Answer> =>
  client.call("PUT", `${API}/triggers/${trigger}/pipeline_snapshots/${of}`, update, headers);

/** What a trigger runs. */
async function attachedTo(trigger: string): Promise<Json> {
  const { executable_snapshots: found } = (await get(`/triggers/${trigger}`)).resources;
  expect(found).toHaveLength(1);
  return get(`/pipeline_snapshots/${found[0].id}`);
}

async function derived(update: unknown, of = source): Promise<Json> {
  const trigger = await newTrigger();
  const answer = await attach(trigger, update, { of });
  expect([answer.status, answer.text]).toEqual([200, "null"]);
  return attachedTo(trigger);
}

describe("a snapshot that is attached", () => {
  it.each([
    [null],
    [{}],
    [{ unknown: 1, enable_cache: null, steps: { nope: {}, one: { name: "zz", other: 1 } } }],
  ])("is run as it is, but nothing waits for its runs, with %j", async (update) => {
    const { name, metadata, resources } = await derived(update);
    expect(name ?? null).toBeNull();
    expect(metadata).toMatchObject({
      run_name_template: "x-{date}",
      description: null,
      client_environment: {},
      client_version: "0.98.0",
      source_snapshot_id: source,
      template_id: null,
      schedule: null,
      pipeline_spec: { parameters: { p: 1 } },
      pipeline_configuration: { name: "x", extra: { a: 1 } },
    });
    expect(resources.stack.id).toBe(stack);
    const settings = { [KEY]: { timeout: 5, synchronous: false } };
    expect(metadata.pipeline_configuration.settings).toEqual(settings);
    const { one, two } = metadata.step_configurations;
    expect(one.step_config_overrides).toMatchObject({
      name: "one",
      settings: {},
      parameters: { lr: 1, n: 2 },
    });
    expect(one.config).toMatchObject({ settings, extra: { a: 1 }, parameters: { lr: 1, n: 2 } });
    expect(two.config).toMatchObject({ settings, extra: { a: 1, own: 1 } });
  });

  it("is run as it is said for pipeline and steps", async () => {
    const { metadata } = await derived({
      run_name: "other-{time}",
      enable_cache: false,
      execution_mode: "fail_fast",
      tags: ["t1"],
      retry: { max_retries: 3 },
      substitutions: { q: "r" },
      environment: { E: "1" },
      extra: { b: { c: null } },
      settings: { resources: { cpu_count: 2 } },
      model: { name: "m", version: "1" },
      steps: {
        one: {
          enable_cache: true,
          parameters: { lr: null },
          heartbeat_healthy_threshold: 12,
          settings: { "step_operator:none": { a: 1 }, resources: { gpu_count: 1 } },
          failure_hook_source: "module.hook",
        },
      },
    });
    expect(metadata.run_name_template).toBe("other-{time}");
    const retry = { max_retries: 3, delay: 0, backoff: 0 };
    expect(metadata.pipeline_configuration).toMatchObject({
      enable_cache: false,
      execution_mode: "fail_fast",
      tags: ["t1"],
      retry,
      substitutions: { q: "r" },
      environment: { E: "1" },
      extra: { a: 1, b: { c: null } },
      settings: { resources: { cpu_count: 2 }, [KEY]: { timeout: 5, synchronous: false } },
      model: { name: "m", version: "1", save_models_to_registry: true },
    });
    const { one, two } = metadata.step_configurations;
    expect(one.step_config_overrides).toMatchObject({
      enable_cache: true,
      parameters: { lr: null, n: 2 },
      heartbeat_healthy_threshold: 12,
      settings: { resources: { gpu_count: 1 } },
      failure_hook_source: { module: "module", attribute: "hook" },
      retry: null,
    });
    expect(one.config).toMatchObject({
      retry,
      settings: {
        resources: { cpu_count: 2, gpu_count: 1 },
        [KEY]: { timeout: 5, synchronous: false },
      },
    });
    expect(two.config).toMatchObject({ retry, extra: { a: 1, own: 1, b: {} }, enable_cache: null });
    // The one it was made of stays.
    expect((await get(`/pipeline_snapshots/${source}`)).metadata).toMatchObject({
      run_name_template: "x-{date}",
      pipeline_configuration: {
        settings: { orchestrator: { timeout: 5 } },
        extra: { a: 1 },
        enable_cache: null,
      },
    });
  });

  it("takes parameters where its pipeline is dynamic, and secrets by their names", async () => {
    const secret = await post("/secrets", { name: `s-${randomUUID()}`, values: { k: "v" } });
    const dynamic = await newSource({ is_dynamic: true });
    const { metadata } = await derived({ parameters: { p: 3 }, secrets: [secret.name] }, dynamic);
    expect(metadata.pipeline_configuration).toMatchObject({ parameters: { p: 3 }, secrets: [secret.id] });
    expect(metadata.pipeline_spec.parameters).toEqual({ p: 3 });
  });

  it("has its settings by flavors where older clients run it", async () => {
    const { metadata } = await derived({}, await newSource({}, "0.84.0"));
    expect(metadata.pipeline_configuration.settings).toEqual({
      "orchestrator.kubernetes": { timeout: 5, synchronous: false },
    });
  });

  it.each([
    [{ enable_cache: "x" }, 422, "enable_cache"],
    [{ steps: { one: { retry: { max_retries: -1 } } } }, 422, "max_retries"],
    [{ steps: [] }, 422, "steps"],
    [{ steps: { one: { outputs: { output: {} } } } }, 422, "materializer_source"],
    [{ parameters: { p: 3 } }, 400, "Can't set pipeline parameters"],
    [{ build: randomUUID() }, 400, "Can't set build"],
    [{ schedule: { cron_expression: "* * * * *" } }, 400, "Can't set schedule"],
    [{ settings: { docker: { requirements: ["a"] } } }, 400, "Can't set DockerSettings"],
    [{ steps: { one: { settings: { docker: { requirements: ["a"] } } } } }, 400, "Can't set DockerSettings"],
    [{ steps: { one: { parameters: { zz: 1 } } } }, 400, "unknown parameters for step one: {'zz'}"],
    [{ settings: { "orchestrator.kubernetes": { timeout: 1 } } }, 400, "Duplicate settings"],
    [{ settings: { step_operator: { a: 1 } } }, 400, "no default component of type step_operator"],
    [{ secrets: ["not there"] }, 404, "not there"],
  ])("is refused with %j", async (update, status, said) => {
    const trigger = await newTrigger();
    const answer = await attach(trigger, update);
    expect([answer.status, answer.text.includes(said)], answer.text).toEqual([status, true]);
    expect((await get(`/triggers/${trigger}`)).resources.executable_snapshots).toEqual([]);
  });

  it("is made once by a request that is repeated, and made anew where it gives way", async () => {
    const trigger = await newTrigger();
    const headers = { "idempotency-key": randomUUID() };
    for (let at = 0; at < 2; at += 1) {
      expect((await attach(trigger, { run_name: "first" }, { headers })).status).toBe(200);
    }
    const { id, metadata } = await attachedTo(trigger);
    expect(metadata.run_name_template).toBe("first");
    expect((await attach(trigger, { run_name: "second" })).status).toBe(403);
    const replaced = await attach(trigger, { run_name: "second" }, { of: `${source}?allow_replace=true` });
    expect(replaced.status, replaced.text).toBe(200);
    const other = await attachedTo(trigger);
    expect([other.metadata.run_name_template, other.id === id]).toEqual(["second", false]);
  });

  it("keeps numbers as they came", async () => {
    const trigger = await newTrigger();
    const raw = JSON as unknown as { rawJSON(text: string): unknown };
    await attach(trigger, { steps: { one: { parameters: { lr: raw.rawJSON("2.50") } } } });
    const { id } = await attachedTo(trigger);
    const { text } = await client.get(`${API}/pipeline_snapshots/${id}`);
    expect(text).toContain('"lr":2.50');
  });
});

describe("a run that a trigger began", () => {
  it("shows it for as long as it is there", async () => {
    const trigger = await newTrigger();
    const run: Json = await newRun(client, project, source);
    expect(run.resources.trigger).toBeNull();
    await server.database.prepared(
      { name: "test_begun_by", text: "update pipelines.runs set trigger_id = $2 where id = $1" },
      [run.id, trigger],
    );
    const shown = {
      id: trigger,
      body: { type: "schedule", cron_expression: "0 0 * * *", active: true, project_id: project },
      metadata: null,
      resources: null,
    };
    expect((await get(`/runs/${run.id}`)).resources.trigger).toMatchObject(shown);
    const { items } = await get(`/runs?project=${project}&trigger_id=${trigger}`);
    expect(items.map((one: Json) => one.resources.trigger)).toMatchObject([shown]);
    expect((await get(`/triggers/${trigger}`)).resources.latest_run.id).toBe(run.id);
    expect((await client.call("DELETE", `${API}/triggers/${trigger}?soft=false`)).status).toBe(200);
    expect((await get(`/runs/${run.id}`)).resources.trigger).toBeNull();
  });
});
