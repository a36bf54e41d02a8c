import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";
import { accepted, invalid, refusal } from "../../../test/runs.ts";
import { MODELS, newModel, newVersion, query, VERSIONS } from "../../../test/registry.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  for (const [name, kind] of [
    ["apple", "fruit"],
    ["Äpfel", "fruit"],
    ["bean", "seed"],
  ] as const) {
    await newModel(server, { name, tags: [{ key: "kind", value: kind }] });
  }
  await newModel(server, { name: "plain" });
  for (const [name, runId] of [
    ["apple", "run1"],
    ["apple", "run2"],
    ["bean", "run1"],
  ] as const) {
    await newVersion(server, name, {
      run_id: runId,
      source: `s3://bucket/${name}/${runId}`,
      tags: [{ key: "of", value: runId }],
    });
  }
});
afterAll(() => server[Symbol.asyncDispose]());

type Fields = Record<string, string | string[]>;

const searchModels = (fields: Fields): Promise<Answer> => server.get(`${MODELS}/search?${query(fields)}`);
const searchVersions = (fields: Fields): Promise<Answer> => server.get(`${VERSIONS}/search?${query(fields)}`);

const models = async (fields: Fields): Promise<string[]> =>
  (accepted(await searchModels(fields)).registered_models ?? []).map(({ name }: Json) => name);

const versions = async (fields: Fields): Promise<string[]> =>
  (accepted(await searchVersions(fields)).model_versions ?? []).map(
    (one: Json) => `${one.name} ${one.version}`,
  );

describe("searching registered models", () => {
  const all = ["apple", "bean", "plain", "Äpfel"];

  test.each([
    ["", all],
    ["name = 'apple'", ["apple"]],
    ["name != 'apple'", ["bean", "plain", "Äpfel"]],
    ["name LIKE '%p%e%'", ["apple", "Äpfel"]],
    ["name ilike 'äPF%'", ["Äpfel"]],
    ["name IN ('bean', 'nobody', 'apple')", ["apple", "bean"]],
    ["name NOT IN ('bean')", ["apple", "plain", "Äpfel"]],
    ["tags.kind = 'fruit'", ["apple", "Äpfel"]],
    ["tags.kind != 'fruit'", ["bean"]],
    ["tag.kind ILIKE 'FR%' AND name = 'apple'", ["apple"]],
    // What the newest client adds to every search.
    ["tags.`mlflow.prompt.is_prompt` != 'true'", all],
    ["tags.`mlflow.prompt.is_prompt` = 'true'", []],
  ])("where %s", async (filter, expected) => {
    expect(await models({ filter })).toEqual(expected);
  });

  test("by name or by the time of the last change", async () => {
    expect(await models({ order_by: ["name DESC"] })).toEqual(all.toReversed());
    for (const [orderBy, sign] of [
      ["timestamp ASC", 1],
      ["last_updated_timestamp DESC", -1],
    ] as const) {
      const { registered_models: found } = accepted(await searchModels({ order_by: orderBy }));
      const times: number[] = found.map((model: Json) => model.last_updated_timestamp);
      expect(times).toHaveLength(all.length);
      expect(times).toEqual(times.toSorted((a, b) => sign * (a - b)));
    }
  });

  test("shows the newest versions, tags and nothing that is empty", async () => {
    const { registered_models: found } = accepted(await searchModels({ filter: "name = 'apple'" }));
    expect(found[0]).toMatchObject({
      latest_versions: [{ version: "2", run_id: "run2", tags: [{ key: "of", value: "run2" }] }],
      tags: [{ key: "kind", value: "fruit" }],
    });
    const { registered_models: plain } = accepted(await searchModels({ filter: "name = 'plain'" }));
    expect(Object.keys(plain[0])).toEqual(["name", "creation_timestamp", "last_updated_timestamp"]);
    expect(accepted(await searchModels({ filter: "name = 'nobody'" }))).toEqual({});
  });

  test("in pages", async () => {
    const found: string[] = [];
    let token = "";
    do {
      const answer = accepted(
        await searchModels({ max_results: "3", ...(token ? { page_token: token } : {}) }),
      );
      found.push(...answer.registered_models.map(({ name }: Json) => name));
      token = answer.next_page_token ?? "";
    } while (token !== "");
    expect(found).toEqual(all);
    const { next_page_token: own } = accepted(await searchModels({ max_results: "1" }));
    expect(refusal(await searchModels({ page_token: own, filter: "name != 'x'" }))).toEqual(
      invalid(expect.stringContaining("Invalid page token")),
    );
  });

  test.each([
    [{ max_results: "1001" }, expect.stringContaining("for parameter 'max_results' supplied")],
    [{ max_results: "0" }, "Invalid value for max_results. It must be a positive integer, but got 0"],
    [{ filter: "title = 'x'" }, expect.stringContaining("Invalid attribute key 'title' specified.")],
    [{ filter: "tags.k IS NULL" }, expect.any(String)],
    [{ filter: "name > 'x'" }, "Invalid comparator for attribute: >"],
    [{ order_by: ["name", "name DESC"] }, expect.stringContaining("duplicate fields")],
    [{ order_by: ["title"] }, expect.stringContaining("Invalid order by key 'title' specified.")],
    [{ page_token: "x" }, expect.stringContaining("Invalid page token")],
  ] as [Fields, unknown][])("refuses %j", async (fields, message) => {
    expect(refusal(await searchModels(fields))).toEqual(invalid(message));
  });
});

describe("searching model versions", () => {
  test.each([
    ["name = 'apple'", ["apple 1", "apple 2"]],
    ["name IN ('apple', 'bean') AND run_id = 'run1'", ["apple 1", "bean 1"]],
    ["run_id IN ('run2', 'run3')", ["apple 2"]],
    ["run_id NOT IN ('run2')", ["apple 1", "bean 1"]],
    ["source_path LIKE 's3://bucket/bean%'", ["bean 1"]],
    ["version_number > 1", ["apple 2"]],
    ["version_number >= '1' AND name ILIKE 'BEAN'", ["bean 1"]],
    ["tags.of = 'run1'", ["apple 1", "bean 1"]],
    ["tags.`mlflow.prompt.is_prompt` != 'true' AND name = 'bean'", ["bean 1"]],
    ["name='bean' AND tags.`mlflow.prompt.is_prompt` = 'true'", []],
  ])("where %s", async (filter, expected) => {
    expect(await versions({ filter, order_by: ["name ASC", "version_number ASC"] })).toEqual(expected);
  });

  test("the youngest first, unless asked otherwise, and in pages", async () => {
    expect(await versions({ order_by: ["version_number DESC", "name DESC"] })).toEqual([
      "apple 2",
      "bean 1",
      "apple 1",
    ]);
    const whole = await versions({});
    const found: string[] = [];
    let token = "";
    do {
      const answer = accepted(
        await searchVersions({ max_results: "1", ...(token ? { page_token: token } : {}) }),
      );
      found.push(...answer.model_versions.map((one: Json) => `${one.name} ${one.version}`));
      token = answer.next_page_token ?? "";
    } while (token !== "");
    expect(found).toEqual(whole);
    expect(whole).toHaveLength(3);
  });

  test.each([
    [{ max_results: "200001" }, expect.stringContaining("for parameter 'max_results' supplied")],
    [{ max_results: "-1" }, "Invalid value for max_results. It must be a positive integer, but got -1"],
    [{ filter: "stage = 'x'" }, expect.stringContaining("Invalid attribute key 'stage' specified.")],
    [{ order_by: ["run_id"] }, expect.stringContaining("Invalid attribute key 'run_id' specified.")],
  ] as [Fields, unknown][])("refuses %j", async (fields, message) => {
    expect(refusal(await searchVersions(fields))).toEqual(invalid(message));
  });
});
