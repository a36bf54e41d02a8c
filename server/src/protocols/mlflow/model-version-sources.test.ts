import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";
import { accepted, API, invalid, newRun, refusal } from "../../../test/runs.ts";
import {
  createVersion,
  getVersion,
  MODELS,
  newModel,
  newVersion,
  query,
  VERSIONS,
} from "../../../test/registry.ts";

let server: TestServer;
let run: string;
let model: string;
let loggedModel: Json;

beforeAll(async () => {
  server = await startTestServer();
  run = await newRun(server);
  model = await newModel(server);
  loggedModel = await newLoggedModel();
});
afterAll(() => server[Symbol.asyncDispose]());

async function newLoggedModel(): Promise<Json> {
  const body = { experiment_id: "0", name: "lm", source_run_id: run };
  return accepted(await server.post(`${API}/logged-models`, body)).model.info;
}

const create = (fields: Record<string, unknown>): Promise<Answer> => createVersion(server, model, fields);
const made = async (fields: Record<string, unknown>): Promise<Json> =>
  accepted(await create(fields)).model_version;
const downloadUri = async (version: string): Promise<string> =>
  accepted(await server.get(`${VERSIONS}/get-download-uri?${query({ name: model, version })}`)).artifact_uri;

const notTheHolder = (source: string, field: string): unknown[] =>
  invalid(
    `Invalid model version source: '${source}'. The ${field} request parameter must identify the resource that ` +
      "contains the source.",
  );

describe("a source in a run", () => {
  test("goes with the run that holds it", async () => {
    for (const source of [`runs:/${run}/model`, `mlflow-artifacts:/0/${run}/artifacts/model`]) {
      expect(await made({ source, run_id: run })).toMatchObject({ source, run_id: run });
    }
  });

  test("may name its run by itself, as clients of MLflow 2.9 send it", async () => {
    for (const source of [`runs:/${run}/model`, `mlflow-artifacts:/0/${run}/artifacts/model`]) {
      expect(await made({ source })).toMatchObject({ source, run_id: run });
      expect(await made({ source, run_id: "" })).toMatchObject({ source, run_id: run });
    }
  });

  test("is refused with another run, or none that is there", async () => {
    const other = await newRun(server);
    const nobody = "0".repeat(32);
    for (const [source, runId] of [
      [`runs:/${run}/model`, other],
      [`runs://${run}/model`, run],
      [`mlflow-artifacts:/0/${run}/artifacts/model`, other],
      [`mlflow-artifacts:/0/${run}/artifacts-of-another`, run],
      [`mlflow-artifacts:/0/${nobody}/artifacts/model`, undefined],
      [`mlflow-artifacts:/0/${nobody}/artifacts/model`, nobody],
      [`mlflow-artifacts:/9/${run}/artifacts/model`, undefined],
      ["mlflow-artifacts:/", run],
    ] as const) {
      expect(refusal(await create({ source, run_id: runId }))).toEqual(notTheHolder(source, "run_id"));
    }
  });
});

describe("a source in a logged model", () => {
  test("leads to the model's files and its run, and the model lists the version", async () => {
    const { model_id: id, artifact_uri: root } = loggedModel;
    const version = await made({ source: `models:/${id}`, model_id: id });
    expect(version).toMatchObject({ source: `models:/${id}`, run_id: run });
    expect(await downloadUri(version.version)).toBe(root);
    const second = await made({ source: `${root}/part`, model_id: id });
    expect(await downloadUri(second.version)).toBe(`${root}/part`);
    const { tags } = accepted(await server.get(`${API}/logged-models/${id}`)).model.info;
    expect(tags).toEqual([
      {
        key: "mlflow.modelVersions",
        value:
          `[{"name": "${model}", "version": ${version.version}}, ` +
          `{"name": "${model}", "version": ${second.version}}]`,
      },
    ]);
  });

  test("lists every version, also when many are registered at a time", async () => {
    const { model_id: id } = await newLoggedModel();
    const versions: string[] = await Promise.all(
      Array.from({ length: 8 }, async () => (await made({ source: `models:/${id}`, model_id: id })).version),
    );
    const { tags } = accepted(await server.get(`${API}/logged-models/${id}`)).model.info;
    const listed = (JSON.parse(tags[0].value) as { version: number }[]).map(({ version }) => String(version));
    expect(listed.toSorted()).toEqual(versions.toSorted());
  });

  test("is refused without that model", async () => {
    const { model_id: id, artifact_uri: root } = loggedModel;
    const other = (await newLoggedModel()).model_id as string;
    for (const [source, modelId] of [
      [`models:/${id}`, undefined],
      [`models:/${id}`, other],
      ["models:/m-nobody", "m-nobody"],
      [root as string, other],
      [`runs:/${run}/model`, id],
    ] as const) {
      expect(refusal(await create({ source, model_id: modelId }))).toEqual(notTheHolder(source, "model_id"));
    }
    expect(refusal(await create({ source: root }))).toEqual(notTheHolder(root, "run_id"));
    expect(refusal(await create({ model_id: "m-nobody" }))).toEqual([
      404,
      "RESOURCE_DOES_NOT_EXIST",
      "Logged model with ID 'm-nobody' not found.",
    ]);
  });
});

describe("a source that is another version", () => {
  test("is copied by number, stage, alias and as the latest", async () => {
    const name = await newModel(server);
    await newVersion(server, name, { source: `runs:/${run}/model`, run_id: run });
    await server.post(`${MODELS}/alias`, { name, alias: "champion", version: "1" });
    await server.post(`${VERSIONS}/transition-stage`, { name, version: "1", stage: "Production" });
    for (const end of ["/1", "/production", "@champion", "/latest"]) {
      const copy = await made({ source: `models:/${name}${end}`, run_id: run });
      expect(copy).toMatchObject({ source: `models:/${name}/1`, run_id: run });
      expect(await downloadUri(copy.version)).toBe(`runs:/${run}/model`);
    }
    const { version } = await made({ source: `models:/${name}/1` });
    expect((await getVersion(server, model, version)).run_id).toBe(run);
  });

  test("must agree with what the request says of it", async () => {
    const name = await newModel(server);
    await newVersion(server, name, { source: `runs:/${run}/model`, run_id: run });
    const source = `models:/${name}/1`;
    for (const fields of [
      { run_id: "another" },
      { run_id: "" },
      { model_id: loggedModel.model_id as string },
    ]) {
      expect(refusal(await create({ source, ...fields }))).toEqual(
        invalid(
          `Invalid model version source: '${source}'. The run_id and model_id request parameters must match the ` +
            "referenced model version.",
        ),
      );
    }
  });

  test("must be there", async () => {
    const name = await newModel(server);
    const none = "RESOURCE_DOES_NOT_EXIST";
    expect(refusal(await create({ source: `models:/${name}/4` }))).toEqual([
      404,
      none,
      `Model Version (name=${name}, version=4) not found`,
    ]);
    expect(refusal(await create({ source: `models:/${name}/latest` }))).toEqual([
      404,
      none,
      `No versions of model with name '${name}' found`,
    ]);
    expect(refusal(await create({ source: "models:/nobody/1" }))).toEqual([
      404,
      none,
      "Registered Model with name=nobody not found",
    ]);
    expect(refusal(await create({ source: `models:/${name}@a` }))).toEqual(
      invalid("Registered model alias a not found."),
    );
    expect(refusal(await create({ source: "models://other/name/1" }))).toEqual(
      invalid(expect.stringContaining("must use the active model registry")),
    );
    for (const source of ["models:/a/1/2", "models:/", "models:name/1"]) {
      expect(refusal(await create({ source }))).toEqual(notTheHolder(source, "model_id"));
    }
  });
});

describe("a source is never a place of the server's", () => {
  const local = expect.stringContaining("To use a local path as a model version source");
  const relative = expect.stringContaining("without relative path references");
  const fragment = "'source' URL can't include fragments or params.";

  // CVE-2023-1176, 1177, 2356, 2780, 6909, 6974, 6977, CVE-2024-1483, 1558, 1593, 1594, 2928, 3573, 3848, 8859.
  test.each([
    ["/etc/passwd", local],
    ["/no/such/path", local],
    ["file:///etc/", local],
    ["file://localhost/etc", local],
    ["FILE:///etc", local],
    ["file:etc", local],
    ["//proc/self/root", local],
    ["://etc", local],
    [":///etc", local],
    ["etc", local],
    ["C:/Windows", local],
    ["..\\..\\x", local],
    ["mlflow-artifacts:/../../etc", relative],
    ["mlflow-artifacts:/%2e%2e/%2e%2e/etc", relative],
    ["mlflow-artifacts:/%252e%252e/%252e%252e/etc", relative],
    ["mlflow-artifacts:/..%2f..%2fetc", relative],
    ["mlflow-artifacts:/..%5c..%5cetc", relative],
    ["mlflow-artifacts:/a%00b", relative],
    ["mlflow-artifacts:/./etc", relative],
    ["runs:/", relative],
    ["runs:a/b", relative],
    ["s3:", relative],
    ["s3://bucket", relative],
    ["unknown:path", relative],
    ["mlflow-artifacts://host:5000/../../etc", relative],
    ["s3://bucket/../other", relative],
    ["s3://bucket/%2e%2e/other", relative],
    ["dbfs:/x?/../../etc", relative],
    ["dbfs:/x#/../../etc", relative],
    ["http:///#/../../../etc/", relative],
    ["http:///?/../../../etc/", relative],
    ["http:///;/../../../etc/", relative],
    ["models:/../1", relative],
    ["runs:/../../etc", relative],
    ["runs:/x/%2e%2e/y", relative],
    ["runs:/x/y#z", relative],
    ["runs:/x/y?z", relative],
    ["s3://bucket/a#b", fragment],
    [
      "mlflow-artifacts://another.host/1/x",
      expect.stringContaining("'source' cannot use the 'mlflow-artifacts' scheme"),
    ],
    ["http://169.254.169.254/latest", expect.stringContaining("'source' cannot use the 'http' scheme")],
    ["ftp://host/x", expect.stringContaining("'source' cannot use the 'ftp' scheme")],
    ["s3://bucket/".padEnd(2049, "x"), "'source' exceeds the maximum length of 2048 characters"],
  ])("%s", async (source, message) => {
    for (const fields of [{}, { run_id: run }, { model_id: loggedModel.model_id as string }]) {
      expect(refusal(await create({ source, ...fields }))).toEqual(invalid(message));
    }
  });
});
