import { describe, expect, it } from "vitest";
import { readBuiltinFlavors } from "./builtin-flavors.ts";
import { checkConfiguration, refusalText, type Configuration } from "./component-configuration.ts";

type Known = { name: string; type: string; config_schema: object };

const flavors = JSON.parse((await readBuiltinFlavors()).json) as Known[];
const flavorOf = (type: string, name: string) => {
  const found = flavors.find((one) => one.type === type && one.name === name);
  return { name, type, is_custom: false, config_schema_json: JSON.stringify(found?.config_schema) };
};

/** What is kept, or why nothing is. */
const read = (
  [type, name]: readonly [string, string],
  given: Configuration,
  existing?: Configuration,
): unknown => {
  const flavor = flavorOf(type, name);
  const checked = checkConfiguration(flavor, given, existing);
  return "refusal" in checked ? refusalText(flavor, checked.refusal) : checked.configuration;
};

const docker = ["orchestrator", "local_docker"] as const;
const kubernetes = ["orchestrator", "kubernetes"] as const;
const s3 = ["artifact_store", "s3"] as const;

describe("configurations", () => {
  it("are kept as they are where they fit", () => {
    const given = {
      path: "s3://b",
      key: "{{secret.key}}",
      client_kwargs: { endpoint_url: "http://x", deep: [1, null] },
    };
    expect(read(s3, given)).toStrictEqual(given);
    expect(read(docker, {})).toStrictEqual({});
  });

  it("are read as what texts stand for", () => {
    expect(read(docker, { synchronous: "Yes", run_args: '{"cpus": 1}' })).toStrictEqual({
      synchronous: true,
      run_args: { cpus: 1 },
    });
    expect(read(kubernetes, { timeout: "60", synchronous: 0 })).toStrictEqual({
      timeout: 60,
      synchronous: false,
    });
    expect(read(docker, { run_args: "{" })).toContain("Invalid json string");
    expect(read(docker, { synchronous: "maybe" })).toContain("valid boolean");
    expect(read(kubernetes, { timeout: 1.5 })).toContain("valid integer");
  });

  it("take a union as it came before they read it", () => {
    const vm = ["orchestrator", "vm_aws"] as const;
    expect(read(vm, { memory: "16+" })).toStrictEqual({ memory: "16+" });
    expect(read(vm, { memory: 16 })).toStrictEqual({ memory: 16 });
    expect(read(vm, { memory: [] })).toContain("validation error");
  });

  it("keep numbers to the digit, but integers that are written as fractions", () => {
    const raw = (text: string): unknown =>
      (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
    expect(JSON.stringify(read(docker, { run_args: { cpus: raw("1.0") } }))).toBe(
      '{"run_args":{"cpus":1.0}}',
    );
    expect(JSON.stringify(read(kubernetes, { timeout: raw("60.0") }))).toBe('{"timeout":60}');
  });

  it("have no other keys than the flavor, unless they had them before", () => {
    expect(read(s3, { path: "s3://b", size: 1, speed: 2 })).toBe(
      "Invalid configuration keys ['size', 'speed'] for s3 artifact_store.",
    );
    expect(read(s3, { path: "s3://b", size: 1 }, { size: 2 })).toStrictEqual({ path: "s3://b" });
    expect(read(s3, JSON.parse('{"path":"s3://b","__proto__":1}') as Configuration)).toContain(
      "Invalid configuration",
    );
  });

  it("say all that is wrong", () => {
    expect(read(s3, { key: 1 })).toBe(
      "2 validation errors for S3ArtifactStoreConfig\nkey\n  Input should be a valid string\npath\n  Field required",
    );
  });

  it("keep artifacts where the store can", () => {
    expect(read(s3, { path: "gs://b" })).toContain("must start with s3://");
    expect(read(["artifact_store", "azure"], { path: "abfs://b" })).toStrictEqual({ path: "abfs://b" });
    expect(read(["artifact_store", "gcp"], { path: "'gs://b'" })).toStrictEqual({ path: "gs://b" });
    expect(read(["artifact_store", "local"], { path: "s3://b" })).toContain("must be on this machine");
    expect(read(["artifact_store", "local"], { path: "/data" })).toStrictEqual({ path: "/data" });
    expect(read(["artifact_store", "local"], { path: "{{secret.key}}" })).toContain(
      "secret reference is not allowed",
    );
    expect(read(["container_registry", "default"], { uri: "{{secret.key}}" })).toContain("secret reference");
  });

  it("are complete where a part needs another", () => {
    const mlflow = ["experiment_tracker", "mlflow"] as const;
    expect(read(mlflow, { tracking_uri: "http://x", tracking_username: "u" })).toContain("tracking_password");
    const both = { tracking_uri: "http://x", tracking_username: "u", tracking_password: "p" };
    expect(read(mlflow, both)).toStrictEqual(both);
    expect(
      read(["log_store", "datadog"], { api_key: "a", application_key: "b", site: "datadoghq.eu" }),
    ).toStrictEqual({
      endpoint: "https://http-intake.logs.datadoghq.eu/api/v2/logs",
      api_key: "a",
      application_key: "b",
      site: "datadoghq.eu",
    });
  });

  it("of custom flavors are for their own code to read", () => {
    const flavor = { ...flavorOf("orchestrator", "local"), is_custom: true };
    expect(checkConfiguration(flavor, { anything: 1 })).toStrictEqual({ configuration: { anything: 1 } });
  });
});
