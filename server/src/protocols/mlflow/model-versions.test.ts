import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";
import { accepted, fresh, invalid, newRun, refusal } from "../../../test/runs.ts";
import {
  createVersion,
  getModel,
  getVersion,
  MODELS,
  newModel,
  newVersion,
  query,
  VERSIONS,
} from "../../../test/registry.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const missing = (name: string, version: string): unknown[] => [
  404,
  "RESOURCE_DOES_NOT_EXIST",
  `Model Version (name=${name}, version=${version}) not found`,
];

describe("model versions", () => {
  test("are ready at once, with all they were given", async () => {
    const name = await newModel(server);
    const tags = [{ key: "k", value: "v" }];
    const given = { source: "s3://b/m", run_id: "r", run_link: "https://x/y", description: "d", tags };
    const time = expect.any(Number);
    const expected = {
      name,
      version: "1",
      creation_timestamp: time,
      last_updated_timestamp: time,
      current_stage: "None",
      status: "READY",
      ...given,
    };
    expect(accepted(await createVersion(server, name, given)).model_version).toEqual(expected);
    expect(await getVersion(server, name, "1")).toEqual(expected);
    expect((await getModel(server, name)).latest_versions).toEqual([expected]);
  });

  test("need a model that is there", async () => {
    const name = fresh("nobody");
    expect(refusal(await createVersion(server, name))).toEqual([
      404,
      "RESOURCE_DOES_NOT_EXIST",
      `Registered Model with name=${name} not found`,
    ]);
  });

  test("are numbered without gap or double, also when many are made at a time and some are refused", async () => {
    const name = await newModel(server);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        createVersion(server, name, index % 4 === 0 ? { source: "/etc/passwd" } : {}),
      ),
    );
    const numbers = answers
      .filter(({ status }) => status === 200)
      .map(({ json }) => Number(json.model_version.version));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  test("never get the number of a deleted one", async () => {
    const name = await newModel(server);
    await newVersion(server, name);
    await newVersion(server, name);
    accepted(await server.call("DELETE", `${VERSIONS}/delete`, { name, version: "2" }));
    expect(refusal(await server.get(`${VERSIONS}/get?${query({ name, version: "2" })}`))).toEqual(
      missing(name, "2"),
    );
    expect(await newVersion(server, name)).toBe("3");
    expect(refusal(await server.call("DELETE", `${VERSIONS}/delete`, { name, version: "2" }))).toEqual(
      missing(name, "2"),
    );
  });

  test("get a description, and lose it", async () => {
    const name = await newModel(server);
    const version = await newVersion(server, name);
    const update = (body: object) => server.call("PATCH", `${VERSIONS}/update`, { name, version, ...body });
    expect(accepted(await update({ description: "d" })).model_version.description).toBe("d");
    expect(accepted(await update({})).model_version).not.toHaveProperty("description");
    expect(refusal(await update({ version: "7" }))).toEqual(missing(name, "7"));
    expect(refusal(await update({ version: "one" }))).toEqual(
      invalid("Parameter 'version' must be an integer, got 'one'."),
    );
  });

  test("have tags that are set, replaced and deleted", async () => {
    const name = await newModel(server);
    const version = await newVersion(server, name);
    const set = (key: string, value: string) =>
      server.post(`${VERSIONS}/set-tag`, { name, version, key, value });
    accepted(await set("k", "1"));
    accepted(await set("k", "v".repeat(100_000)));
    expect((await getVersion(server, name, version)).tags).toEqual([
      { key: "k", value: "v".repeat(100_000) },
    ]);
    expect(refusal(await set("k", "v".repeat(100_001)))).toEqual(
      invalid("'value' exceeds the maximum length of 100000 characters"),
    );
    for (let time = 0; time < 2; time += 1) {
      accepted(await server.call("DELETE", `${VERSIONS}/delete-tag`, { name, version, key: "k" }));
    }
    expect(await getVersion(server, name, version)).not.toHaveProperty("tags");
    const nobody = { name, version: "9", key: "k", value: "v" };
    expect(refusal(await server.post(`${VERSIONS}/set-tag`, nobody))).toEqual(missing(name, "9"));
    expect(refusal(await server.call("DELETE", `${VERSIONS}/delete-tag`, nobody))).toEqual(
      missing(name, "9"),
    );
  });

  test("without name or version are an error of the caller", async () => {
    const name = await newModel(server);
    const what = "See the API docs for more information about request parameters.";
    expect(refusal(await server.get(`${VERSIONS}/get?${query({ name })}`))).toEqual(
      invalid(`Missing value for required parameter 'version'. ${what}`),
    );
    expect(refusal(await server.get(`${VERSIONS}/get-download-uri`))).toEqual(
      invalid("Missing value for required parameter 'name'."),
    );
  });
});

describe("stages", () => {
  const move = (name: string, version: string, fields: object): Promise<Answer> =>
    server.post(`${VERSIONS}/transition-stage`, { name, version, ...fields });

  const stagesOf = async (name: string): Promise<Record<string, string>> => {
    const filter = `name = '${name}'`;
    const { model_versions: list } = accepted(await server.get(`${VERSIONS}/search?${query({ filter })}`));
    return Object.fromEntries(list.map((one: Json) => [one.version, one.current_stage]));
  };

  test("are written in any case; the others stay where they are", async () => {
    const name = await newModel(server);
    for (let count = 0; count < 2; count += 1) await newVersion(server, name);
    for (const version of ["1", "2"]) {
      const moved = accepted(await move(name, version, { stage: "pRODUCTION" })).model_version;
      expect(moved.current_stage).toBe("Production");
    }
    expect(await stagesOf(name)).toEqual({ 1: "Production", 2: "Production" });
  });

  test("are cleared of others on request", async () => {
    const name = await newModel(server);
    for (let count = 0; count < 3; count += 1) await newVersion(server, name);
    accepted(await move(name, "1", { stage: "Staging" }));
    accepted(await move(name, "2", { stage: "Production" }));
    accepted(await move(name, "3", { stage: "staging", archive_existing_versions: true }));
    expect(await stagesOf(name)).toEqual({ 1: "Archived", 2: "Production", 3: "Staging" });
  });

  test("hold one version when all clear them at a time", async () => {
    const name = await newModel(server);
    const versions = await Promise.all(Array.from({ length: 6 }, () => newVersion(server, name)));
    const all = { stage: "Production", archive_existing_versions: true };
    await Promise.all(versions.map(async (version) => accepted(await move(name, version, all))));
    const found = Object.values(await stagesOf(name));
    expect(found.filter((stage) => stage === "Production")).toHaveLength(1);
    expect(found.filter((stage) => stage === "Archived")).toHaveLength(5);
  });

  test("that do not exist, or cannot be cleared, are refused", async () => {
    const name = await newModel(server);
    const version = await newVersion(server, name);
    expect(refusal(await move(name, version, { stage: "Live" }))).toEqual(
      invalid("Invalid Model Version stage: Live. Value must be one of None, Staging, Production, Archived."),
    );
    const archive = { stage: "Archived", archive_existing_versions: true };
    expect(refusal(await move(name, version, archive))).toEqual(
      invalid(
        "Model version transition cannot archive existing model versions because 'Archived' is not an Active stage. " +
          "Valid stages are ['Staging', 'Production']",
      ),
    );
    expect(refusal(await move(name, "5", { stage: "None" }))).toEqual(missing(name, "5"));
  });

  test.each(["GET", "POST"])("are asked for their newest version with %s", async (method) => {
    const name = await newModel(server);
    for (let count = 0; count < 4; count += 1) await newVersion(server, name);
    await move(name, "1", { stage: "Production" });
    await move(name, "2", { stage: "Production" });
    await server.post(`${MODELS}/alias`, { name, alias: "a", version: "2" });
    const ask = async (stages: string[]): Promise<Answer> =>
      method === "GET"
        ? server.get(`${MODELS}/get-latest-versions?${query({ name, stages })}`)
        : server.post(`${MODELS}/get-latest-versions`, { name, stages });
    const found = async (stages: string[]): Promise<unknown> =>
      (accepted(await ask(stages)).model_versions ?? []).map(({ version, aliases }: Json) => [
        version,
        aliases,
      ]);
    expect(await found([])).toEqual([
      ["2", ["a"]],
      ["4", undefined],
    ]);
    expect(await found(["production"])).toEqual([["2", ["a"]]]);
    expect(await found(["Staging"])).toEqual([]);
    expect(refusal(await ask(["Live"]))).toEqual(
      invalid(expect.stringContaining("Invalid Model Version stage: Live.")),
    );
  });
});

describe("the files of a version", () => {
  const put = async (key: string, body: string): Promise<void> => {
    const answer = await server.call("PUT", `/api/2.0/mlflow-artifacts/artifacts/${key}`, body);
    expect(answer.status).toBe(200);
  };
  const file = (name: string, version: string, path: string): Promise<Answer> =>
    server.get(`/model-versions/get-artifact?${query({ name, version, path })}`);

  test("are served by way of its run", async () => {
    const run = await newRun(server);
    await put(`0/${run}/artifacts/model/MLmodel`, "flavors: {}");
    const name = await newModel(server);
    for (const source of [`mlflow-artifacts:/0/${run}/artifacts/model`, `runs:/${run}/model`]) {
      const version = await newVersion(server, name, { source, run_id: run });
      const answer = await file(name, version, "MLmodel");
      expect([answer.status, answer.text]).toEqual([200, "flavors: {}"]);
      expect(answer.headers.get("content-disposition")).toContain("attachment");
      const uri = await server.get(`${VERSIONS}/get-download-uri?${query({ name, version })}`);
      expect(accepted(uri)).toEqual({ artifact_uri: source });
    }
  });

  test("are not reached past the version's own folder", async () => {
    const run = await newRun(server);
    await put(`0/${run}/artifacts/secret`, "x");
    const name = await newModel(server);
    const version = await newVersion(server, name, { source: `runs:/${run}/model`, run_id: run });
    for (const path of ["../secret", "%2e%2e/secret", "%252e%252e/secret", "/etc/passwd", "a/../../secret"]) {
      expect(refusal(await file(name, version, path))).toEqual(invalid("Invalid path"));
    }
    expect((await file(name, version, "secret")).status).toBe(404);
  });

  test("elsewhere are the client's to fetch", async () => {
    const name = await newModel(server);
    const version = await newVersion(server, name, { source: "s3://bucket/model" });
    expect(refusal(await file(name, version, "MLmodel"))).toEqual([
      501,
      "NOT_IMPLEMENTED",
      expect.stringContaining("'s3:' location"),
    ]);
    expect(refusal(await file(name, "8", "MLmodel"))).toEqual(missing(name, "8"));
  });
});
