import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";

const API = "/api/2.0/mlflow/experiments";

let server: TestServer;
const ids: Record<string, string> = {};

beforeAll(async () => {
  server = await startTestServer();
  for (const [name, tags] of [
    ["alpha", { team: "Vision", stage: "x" }],
    ["Beta", { team: "vision" }],
    ["gam%ma", { team: "speech" }],
    ["gam_ma", {}],
    [String.raw`back\slash`, {}],
    ["deleted", { team: "vision" }],
  ] as const) {
    const list = Object.entries(tags).map(([key, value]) => ({ key, value }));
    ids[name] = (await server.post(`${API}/create`, { name, tags: list })).json.experiment_id as string;
  }
  await server.post(`${API}/delete`, { experiment_id: ids["deleted"] });
});
afterAll(() => server[Symbol.asyncDispose]());

const search = (body: Json): Promise<Answer> => server.post(`${API}/search`, { max_results: 100, ...body });

const names = ({ status, json }: Answer): unknown =>
  status === 200 ? ((json.experiments ?? []) as Json[]).map((one) => one.name as string) : json;

const found = async (body: Json): Promise<unknown> => names(await search(body));

describe("searching experiments", () => {
  test("gives the active ones, the youngest first", async () => {
    expect(await found({})).toEqual([String.raw`back\slash`, "gam_ma", "gam%ma", "Beta", "alpha", "Default"]);
  });

  test("shows stages as asked", async () => {
    expect(await found({ view_type: "DELETED_ONLY" })).toEqual(["deleted"]);
    expect(await found({ view_type: "ALL" })).toHaveLength(7);
    expect(await found({ view_type: 2 })).toEqual(["deleted"]);
    const answer = await server.get(`${API}/search?max_results=10&view_type=DELETED_ONLY`);
    expect(names(answer)).toEqual(["deleted"]);
  });

  test.each([
    ["name = 'alpha'", ["alpha"]],
    ["name = 'ALPHA'", []],
    ["name != 'alpha' AND name != 'Default'", [String.raw`back\slash`, "gam_ma", "gam%ma", "Beta"]],
    ["name LIKE 'gam%'", ["gam_ma", "gam%ma"]],
    ["name LIKE 'GAM%'", []],
    ["name ILIKE 'GAM%'", ["gam_ma", "gam%ma"]],
    ["name LIKE 'gam_ma'", ["gam_ma", "gam%ma"]],
    [String.raw`name LIKE 'back\%'`, [String.raw`back\slash`]],
    [String.raw`name LIKE '%\'`, []],
    ["tags.team = 'vision'", ["Beta"]],
    ["tags.team ILIKE 'VIS%'", ["Beta", "alpha"]],
    ["tags.team != 'speech'", ["Beta", "alpha"]],
    ["tags.`team` = 'Vision' AND tags.stage = 'x'", ["alpha"]],
    ["tags.team IS NULL", [String.raw`back\slash`, "gam_ma", "Default"]],
    ["tags.team IS NOT NULL", ["gam%ma", "Beta", "alpha"]],
    [
      "creation_time > 0 AND last_update_time >= 1",
      [String.raw`back\slash`, "gam_ma", "gam%ma", "Beta", "alpha", "Default"],
    ],
    ["creation_time < 5", []],
    ["experiment_id = '0'", ["Default"]],
    ["experiment_id IN ('0', '1', '4000000000')", ["alpha", "Default"]],
    ["experiment_id NOT IN ('0', '1', '2', '3', '4')", [String.raw`back\slash`]],
    ["experiment_id != '99999999999' AND name = 'Beta'", ["Beta"]],
  ])("filters by %s", async (filter, expected) => {
    expect(await found({ filter })).toEqual(expected);
  });

  test.each([
    [["name"], ["Beta", "Default", "alpha", String.raw`back\slash`, "gam%ma", "gam_ma"]],
    [["name DESC"], ["gam_ma", "gam%ma", String.raw`back\slash`, "alpha", "Default", "Beta"]],
    [["experiment_id ASC"], ["Default", "alpha", "Beta", "gam%ma", "gam_ma", String.raw`back\slash`]],
    [
      ["last_update_time DESC", "name ASC"],
      [String.raw`back\slash`, "gam_ma", "gam%ma", "Beta", "alpha", "Default"],
    ],
    [["creation_time ASC"], ["Default", "alpha", "Beta", "gam%ma", "gam_ma", String.raw`back\slash`]],
  ])("sorts by %j", async (order_by, expected) => {
    expect(await found({ order_by })).toEqual(expected);
  });

  test("a quote in a value stays a value", async () => {
    expect(await found({ filter: `name = "x' or '1'='1"` })).toEqual([]);
    expect(await found({ filter: "tags.`a'b` = 'c'" })).toEqual([]);
  });

  test.each([
    { name: "foo = 1" },
    { name: "name IN ('a')" },
    { name: "name >" },
    { name: "creation_time LIKE '1'" },
    { name: "experiment_id = 'abc'" },
    { name: "name = 'a' OR name = 'b'" },
    { name: `${"(".repeat(100_000)}name = 'a'` },
  ])("refuses a filter it cannot use", async ({ name: filter }) => {
    const answer = await search({ filter });
    expect([answer.status, answer.json.error_code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
  });

  test("refuses an order it does not know", async () => {
    const answer = await search({ order_by: ["foo"] });
    expect([answer.status, answer.json.error_code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
    expect(answer.json.message).toContain("Invalid attribute key 'foo' specified.");
  });
});

describe("pages of experiments", () => {
  test.each([
    [[]],
    [["name ASC"]],
    [["name DESC"]],
    [["last_update_time ASC", "name DESC"]],
    [["experiment_id"]],
  ])("of two follow one another in the order %j", async (order_by) => {
    const whole = await found({ order_by });
    const pages: unknown[] = [];
    let page_token = "";
    for (let page = 0; page < 4; page += 1) {
      const answer = await search({ order_by, max_results: 2, page_token });
      pages.push(...(names(answer) as string[]));
      if (answer.json.next_page_token === undefined) break;
      page_token = answer.json.next_page_token as string;
    }
    expect(pages).toEqual(whole);
  });

  test("the last one has no token, also when it is full", async () => {
    expect((await search({ max_results: 6 })).json.next_page_token).toBeUndefined();
    expect((await search({ max_results: 5 })).json.next_page_token).toEqual(expect.any(String));
    expect((await search({ filter: "name = 'none'" })).text).toBe("{}");
  });

  test.each(["xx", "e30=", "eyJvZmZzZXQiOiAxfQ==", "é"])("the token %s is refused", async (page_token) => {
    const answer = await search({ page_token });
    expect([answer.status, answer.json.error_code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
    expect(answer.json.message).toContain("Invalid page token");
  });

  test("a token of another search is refused", async () => {
    const { json } = await search({ max_results: 2 });
    const answer = await search({
      max_results: 2,
      filter: "name LIKE 'a%'",
      page_token: json.next_page_token,
    });
    expect([answer.status, answer.json.error_code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
  });

  test.each([
    [undefined, "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"],
    [0, "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"],
    [-1, "Invalid value -1 for parameter 'max_results' supplied. It must be a positive integer"],
    [50_001, "Invalid value 50001 for parameter 'max_results' supplied. It must be at most 50000"],
  ])("max_results %s is refused", async (max_results, message) => {
    const answer = await server.post(`${API}/search`, { max_results });
    expect([answer.status, answer.json.error_code, answer.json.message]).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      message,
    ]);
  });
});
