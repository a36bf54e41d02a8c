import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ZodError } from "zod";
import { mergeStepConfiguration, propagatedBy } from "../../modules/pipelines/step-configuration.ts";
import { configuredStep, pipelineConfiguration, pipelineSpec } from "./configuration.ts";

type Case = { pipeline: object; step: object; isDynamic: boolean; merged: Record<string, unknown> };

/** What ZenML 0.98.0 itself makes of configurations of pipelines and steps that were drawn at random. */
const cases = readFileSync(new URL("configuration.cases.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Case);

const stepOf = (overrides: unknown, spec: object = {}): ReturnType<typeof configuredStep.parse> =>
  configuredStep.parse({
    spec: { source: "run.step", upstream_steps: [], ...spec },
    config: {},
    step_config_overrides: overrides,
  });

describe("configurations", () => {
  it.each(cases.map((one, at) => [at, one] as const))("are merged as ZenML does: %d", (_at, one) => {
    const pipeline = pipelineConfiguration.parse(one.pipeline);
    const { step_config_overrides: overrides } = stepOf(one.step);
    const merged = mergeStepConfiguration(overrides, propagatedBy(pipeline, one));
    expect(merged).toMatchObject(one.merged);
    const fields = Object.keys(one.merged);
    expect(Object.fromEntries(fields.map((field) => [field, merged[field]]))).toStrictEqual(one.merged);
  });

  it("are whole, however little is given", () => {
    const { spec, step_config_overrides: overrides } = stepOf({ name: "s" });
    expect(spec).toStrictEqual({
      source: { module: "run", attribute: "step", type: "unknown" },
      upstream_steps: [],
      inputs: {},
      invocation_id: "",
      pipeline_parameter_name: "",
      enable_heartbeat: false,
      parameter_spec: null,
    });
    expect(overrides).toMatchObject({
      enable_cache: null,
      parameters: {},
      settings: {},
      secrets: [],
      retry: null,
      cache_policy: { include_step_code: true, ignored_inputs: null, expires_after: null },
      heartbeat_healthy_threshold: 30,
      outputs: {},
      command: null,
    });
    expect(Object.keys(overrides)).toHaveLength(31);
    expect(pipelineConfiguration.parse({ name: "p" })).toMatchObject({
      execution_mode: "continue_on_failure",
      steps_to_skip: [],
      substitutions: {},
      cache_policy: null,
      model: null,
    });
  });

  it("take sources as texts, policies by their name, and one materializer for several", () => {
    const { step_config_overrides: overrides } = stepOf({
      name: "s",
      failure_hook_source: "hooks.notify@v1",
      cache_policy: "default",
      outputs: { out: { materializer_source: "my.Materializer" } },
    });
    expect(overrides).toMatchObject({
      failure_hook_source: { module: "hooks", attribute: "notify", type: "unknown" },
      cache_policy: { include_step_code: true },
      outputs: {
        out: { materializer_source: [{ module: "my", attribute: "Materializer" }], artifact_config: null },
      },
    });
  });

  it("keep what a source says besides, and leave out what no model knows", () => {
    const source = { module: "m", attribute: "a", type: "code_repository", commit: "abc" };
    const { spec, step_config_overrides: overrides } = stepOf(
      { name: "s", unheard_of: 1, retry: { max_retries: 3, unheard_of: 1 } },
      { source, unheard_of: 1 },
    );
    expect(spec.source).toStrictEqual(source);
    expect(spec).not.toHaveProperty("unheard_of");
    expect(overrides).not.toHaveProperty("unheard_of");
    expect(overrides.retry).toStrictEqual({ max_retries: 3, delay: 0, backoff: 0 });
  });

  it("name invocations in the words of both versions", () => {
    expect(stepOf({ name: "s" }, { invocation_id: "new" }).spec.pipeline_parameter_name).toBe("new");
    expect(stepOf({ name: "s" }, { pipeline_parameter_name: "old" }).spec.invocation_id).toBe("old");
    const spec = pipelineSpec.parse({
      steps: [{ source: "a.b", upstream_steps: [], pipeline_parameter_name: "old" }],
    });
    expect(spec).toMatchObject({ version: "0.5", steps: [{ invocation_id: "old" }], outputs: [] });
  });

  it("of clients that send no overrides are what they say holds", () => {
    const step = configuredStep.parse({
      spec: { source: "a.b", upstream_steps: [] },
      config: { name: "s", parameters: { x: 1 } },
    });
    expect(step.step_config_overrides).toMatchObject({ name: "s", parameters: { x: 1 }, settings: {} });
  });

  it.each([
    ["no name", { name: undefined }],
    ["retries that are none", { retry: { max_retries: 0 } }],
    ["a heartbeat out of bounds", { heartbeat_healthy_threshold: 61 }],
    ["environment variables that are no texts", { environment: { A: 1 } }],
    ["an unknown runtime", { runtime: "elsewhere" }],
    ["an unknown kind of source", { success_hook_source: { module: "m", type: "elsewhere" } }],
    ["settings that are null", { settings: null }],
    ["outputs without a materializer", { outputs: { out: {} } }],
  ])("with %s are refused", (_what, changes) => {
    expect(() => stepOf({ name: "s", ...changes })).toThrow(ZodError);
  });
});
