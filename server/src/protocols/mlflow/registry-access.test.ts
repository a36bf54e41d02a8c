import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getModel, MODELS, newModel, newVersion, query, VERSIONS } from "../../../test/registry.ts";
import { accepted, API, fresh } from "../../../test/runs.ts";
import type { Answer, Json, TestServer } from "../../../test/harness.ts";
import { makeThings, startAccessServer, type AccessServer, type Caller } from "./tracking-access-fixture.ts";

let access: AccessServer;
let admin: TestServer;

beforeAll(async () => {
  access = await startAccessServer();
  const { admin: root } = access;
  admin = {
    ...access.server,
    call: (method, path, body) => root.call(method, path, body),
    get: root.get,
    post: root.post,
  };
});
afterAll(() => access[Symbol.asyncDispose]());

const refused = (answer: Answer): void =>
  expect([answer.status, answer.text]).toEqual([403, expect.stringContaining("Permission denied")]);

/** Every page of a search, with the names on each. */
async function pagesOf(
  caller: Pick<Caller, "get">,
  path: string,
  asked: Record<string, string>,
): Promise<string[][]> {
  const pages: string[][] = [];
  let token = "";
  do {
    const page: Json = accepted(
      await caller.get(
        `${path}/search?${query({ ...asked, ...(token === "" ? {} : { page_token: token }) })}`,
      ),
    );
    const items: Json[] = page.registered_models ?? page.model_versions ?? [];
    pages.push(items.map((one) => (one.version === undefined ? one.name : `${one.name}/${one.version}`)));
    token = page.next_page_token ?? "";
  } while (token !== "");
  return pages;
}

describe("a search of the registry", () => {
  const names: string[] = [];
  const word = "searched";

  beforeAll(async () => {
    for (let count = 0; count < 9; count += 1) {
      const name = await newModel(admin, { name: `${word} ${count}` });
      await newVersion(admin, name);
      await newVersion(admin, name);
      names.push(name);
    }
  });

  const even = (): string[] => names.filter((_, at) => at % 2 === 0);

  test("finds what the caller may read, in full pages and no more of them", async () => {
    const caller = await access.caller(...even().map((name) => ["registered_model", name, "READ"] as const));
    const asked = { filter: `name like '${word}%'`, max_results: "2" };
    expect(await pagesOf(caller, MODELS, { ...asked, order_by: "name" })).toEqual([
      even().slice(0, 2),
      even().slice(2, 4),
      even().slice(4),
    ]);
    const versions = await pagesOf(caller, VERSIONS, { ...asked, order_by: "name" });
    expect(versions.map((page) => page.length)).toEqual([2, 2, 2, 2, 2]);
    expect(new Set(versions.flat())).toEqual(new Set(even().flatMap((name) => [`${name}/1`, `${name}/2`])));
  });

  test("leaves out what is denied to who reads the rest", async () => {
    const caller = await access.caller(
      ["workspace", "*", "READ"],
      ...even().map((name) => ["registered_model", name, "DENY"] as const),
    );
    const odd = names.filter((name) => !even().includes(name));
    const asked = { filter: `name like '${word}%'`, max_results: "4" };
    expect(await pagesOf(caller, MODELS, { ...asked, order_by: "name" })).toEqual([odd]);
    const versions = (await pagesOf(caller, VERSIONS, asked)).flat();
    expect(new Set(versions)).toEqual(new Set(odd.flatMap((name) => [`${name}/1`, `${name}/2`])));
  });

  test("shows nobody what another one was shown a moment ago", async () => {
    const seeing = await access.caller(["registered_model", "*", "READ"]);
    const blind = await access.caller(["experiment", "*", "READ"]);
    const asked = { filter: `name like '${word}%'` };
    for (const path of [MODELS, VERSIONS]) {
      expect((await pagesOf(seeing, path, asked)).flat().length).toBeGreaterThanOrEqual(9);
      expect(await pagesOf(blind, path, asked)).toEqual([[]]);
    }
  });

  test("shows a model without its versions where those are denied", async () => {
    const caller = await access.caller(
      ["registered_model", "*", "READ"],
      ["registered_model_version", "*", "DENY"],
    );
    const [name = ""] = names;
    const page = accepted(await caller.get(`${MODELS}/search?${query({ filter: `name = '${name}'` })}`));
    expect(page.registered_models.map((one: Json) => [one.name, one.latest_versions])).toEqual([
      [name, undefined],
    ]);
    const model = accepted(await caller.get(`${MODELS}/get?${query({ name })}`)).registered_model;
    expect(model.latest_versions).toBe(undefined);
    expect((await getModel(admin, name)).latest_versions).toHaveLength(1);
    expect(await pagesOf(caller, VERSIONS, {})).toEqual([[]]);
    refused(await caller.get(`${VERSIONS}/get?${query({ name, version: "1" })}`));
    refused(await caller.get(`${MODELS}/get-latest-versions?${query({ name })}`));
    refused(await caller.get(`${VERSIONS}/get-download-uri?${query({ name, version: "1" })}`));
  });

  test("by run is refused where runs are denied, since a version that is found tells of its run", async () => {
    const { runId } = await makeThings(access.admin);
    const made = await newModel(admin);
    await newVersion(admin, made, { run_id: runId, run_link: "http://runs.test/7" });
    const caller = await access.caller(["workspace", "*", "READ"], ["run", "*", "DENY"]);
    refused(await caller.get(`${VERSIONS}/search?${query({ filter: "run_id = '0123'" })}`));
    // Nor do versions name their runs, wherever they are shown, to this caller alone.
    for (const path of [
      `${VERSIONS}/search?${query({ filter: `name = '${made}'` })}`,
      `${VERSIONS}/get?${query({ name: made, version: "1" })}`,
      `${MODELS}/get?${query({ name: made })}`,
      `${MODELS}/search?${query({ filter: `name = '${made}'` })}`,
      `${MODELS}/get-latest-versions?${query({ name: made })}`,
      `/console/api/lineage/model-version?${query({ name: made, version: "1" })}`,
    ]) {
      for (const [reader, sees] of [
        [admin, true],
        [caller, false],
        [admin, true],
      ] as const) {
        const { status, text } = await reader.get(path);
        expect([path, status, text.includes(made), text.includes(runId)]).toEqual([path, 200, true, sees]);
      }
    }
  });

  test("through GraphQL finds the same, also below runs", async () => {
    const { experimentId, runId } = await makeThings(access.admin);
    const open = await newModel(admin);
    const hidden = await newModel(admin);
    for (const name of [open, hidden]) await newVersion(admin, name, { run_id: runId });
    const caller = await access.caller(
      ["experiment", experimentId, "READ"],
      ["registered_model", open, "READ"],
    );
    const ask = async (text: string): Promise<Json> =>
      accepted(await caller.post("/graphql", { query: text })).data;
    const ofRun = await ask(
      `{ mlflowGetRun(input: {runId: "${runId}"}) { run { modelVersions { name } } } }`,
    );
    expect(ofRun.mlflowGetRun.run.modelVersions).toEqual([{ name: open }]);
    const found = await ask(
      `{ mlflowSearchModelVersions(input: {filter: "run_id = '${runId}'"}) { modelVersions { name } } }`,
    );
    expect(found.mlflowSearchModelVersions.modelVersions).toEqual([{ name: open }]);
  });
});

describe("who registers a model", () => {
  test("manages it, and nobody else does by that", async () => {
    const maker = await access.caller(["workspace", "*", "USE"]);
    const member = await access.caller(["workspace", "*", "USE"]);
    const name = fresh("made");
    accepted(await maker.post(`${MODELS}/create`, { name }));
    accepted(await member.get(`${MODELS}/get?${query({ name })}`));
    refused(await member.call("PATCH", `${MODELS}/update`, { name, description: "x" }));
    refused(await member.call("DELETE", `${MODELS}/delete`, { name }));
    accepted(await maker.call("PATCH", `${MODELS}/update`, { name, description: "x" }));
    accepted(await maker.call("DELETE", `${MODELS}/delete`, { name }));
    // Whoever makes one of the same name next does not share it with who had it before.
    await newModel(admin, { name });
    refused(await maker.call("DELETE", `${MODELS}/delete`, { name }));
  });

  test("may not where it is denied, whether all or by this name, nor take such a name by renaming", async () => {
    const denied = fresh("denied");
    const one = await access.caller(["workspace", "*", "USE"], ["registered_model", denied, "DENY"]);
    refused(await one.post(`${MODELS}/create`, { name: denied }));
    const own = fresh("own");
    accepted(await one.post(`${MODELS}/create`, { name: own }));
    refused(await one.post(`${MODELS}/rename`, { name: own, new_name: denied }));
    const all = await access.caller(["workspace", "*", "USE"], ["registered_model", "*", "DENY"]);
    refused(await all.post(`${MODELS}/create`, { name: fresh("x") }));
    const reader = await access.caller(["workspace", "*", "READ"]);
    refused(await reader.post(`${MODELS}/create`, { name: fresh("x") }));
  });
});

describe("what a model's permission allows", () => {
  const calls: [string, string, (name: string) => [string, string, object]][] = [
    ["edit", "update", (name) => ["PATCH", `${MODELS}/update`, { name, description: "x" }]],
    ["edit", "rename", (name) => ["POST", `${MODELS}/rename`, { name, new_name: fresh("renamed") }]],
    ["edit", "set-tag", (name) => ["POST", `${MODELS}/set-tag`, { name, key: "k", value: "v" }]],
    ["edit", "delete-tag", (name) => ["DELETE", `${MODELS}/delete-tag`, { name, key: "k" }]],
    ["edit", "set alias", (name) => ["POST", `${MODELS}/alias`, { name, alias: "best", version: "1" }]],
    ["manage", "delete alias", (name) => ["DELETE", `${MODELS}/alias`, { name, alias: "best" }]],
    ["edit", "create version", (name) => ["POST", `${VERSIONS}/create`, { name, source: "s3://b/x" }]],
    [
      "edit",
      "update version",
      (name) => ["PATCH", `${VERSIONS}/update`, { name, version: "1", description: "x" }],
    ],
    [
      "edit",
      "stage",
      (name) => ["POST", `${VERSIONS}/transition-stage`, { name, version: "1", stage: "Staging" }],
    ],
    [
      "edit",
      "version tag",
      (name) => ["POST", `${VERSIONS}/set-tag`, { name, version: "1", key: "k", value: "v" }],
    ],
    [
      "manage",
      "delete version tag",
      (name) => ["DELETE", `${VERSIONS}/delete-tag`, { name, version: "1", key: "k" }],
    ],
    ["manage", "delete version", (name) => ["DELETE", `${VERSIONS}/delete`, { name, version: "1" }]],
    ["manage", "delete", (name) => ["DELETE", `${MODELS}/delete`, { name }]],
  ];

  test.each(calls)("%s: %s, as in MLflow", async (needed, _what, call) => {
    for (const permission of ["READ", "USE", "EDIT", "MANAGE"] as const) {
      const name = await newModel(admin);
      await newVersion(admin, name);
      const caller = await access.caller(["registered_model", name, permission]);
      const [method, path, body] = call(name);
      const isAllowed = permission === "MANAGE" || (permission === "EDIT" && needed === "edit");
      const answer = await caller.call(method, path, body);
      expect([permission, answer.status]).toEqual([permission, isAllowed ? 200 : 403]);
    }
  });
});

describe("a version", () => {
  test("is made only from what its maker may read", async () => {
    const own = await makeThings(access.admin);
    const others = await makeThings(access.admin);
    const source = await newModel(admin);
    await newVersion(admin, source);
    accepted(await admin.post(`${MODELS}/alias`, { name: source, alias: "best", version: "1" }));
    const name = await newModel(admin);
    const caller = await access.caller(
      ["registered_model", name, "EDIT"],
      ["experiment", own.experimentId, "READ"],
    );
    const { artifact_uri: place } = accepted(await admin.get(`${API}/runs/get?run_id=${others.runId}`)).run
      .info;
    const from = (fields: object): Promise<Answer> => caller.post(`${VERSIONS}/create`, { name, ...fields });
    for (const fields of [
      { source: "s3://bucket/x", run_id: others.runId },
      { source: "s3://bucket/x", model_id: others.modelId },
      { source: `runs:/${others.runId}/model` },
      { source: `RUNS:/${others.runId}/model` },
      { source: `${place}/model` },
      { source: `${place}/model`, run_id: others.runId },
      { source: `${place}/model`, run_id: own.runId },
      { source: `models:/${others.modelId}`, model_id: others.modelId },
      { source: `models:/${others.modelId}` },
      { source: `models:/${source}/1` },
      { source: `models:/${source}@best` },
      { source: `models:/${source}/latest` },
    ]) {
      const answer = await from(fields);
      // A run that is the caller's own does not hold the files of another.
      const isMixed = "run_id" in fields && fields.run_id === own.runId;
      expect([fields, answer.status]).toEqual([fields, isMixed ? 400 : 403]);
    }
    expect((await pagesOf(admin, VERSIONS, { filter: `name = '${name}'` })).flat()).toEqual([]);
    accepted(await from({ source: `runs:/${own.runId}/model`, run_id: own.runId }));
    accepted(await from({ source: `models:/${own.modelId}`, model_id: own.modelId }));
    accepted(await from({ source: "s3://bucket/x" }));
  });

  test("is not made where versions are denied", async () => {
    const name = await newModel(admin);
    const caller = await access.caller(
      ["registered_model", name, "MANAGE"],
      ["registered_model_version", "*", "DENY"],
    );
    refused(await caller.post(`${VERSIONS}/create`, { name, source: "s3://b/x" }));
    refused(await caller.call("DELETE", `${MODELS}/delete`, { name }));
  });
});

describe("lineage", () => {
  const LINEAGE = "/console/api/lineage";

  test("hides what of the chain its reader may not see", async () => {
    const things = await makeThings(access.admin);
    const name = await newModel(admin);
    await newVersion(admin, name, { run_id: things.runId });
    await newVersion(admin, name, { source: `models:/${things.modelId}`, model_id: things.modelId });
    const seeing = await access.caller(
      ["registered_model", name, "READ"],
      ["experiment", things.experimentId, "READ"],
    );
    const blind = await access.caller(["registered_model", name, "READ"]);
    const of = async (caller: Caller, version: string): Promise<Json> =>
      accepted(await caller.get(`${LINEAGE}/model-version?${query({ name, version })}`));
    expect(await of(seeing, "1")).toMatchObject({
      run: { run_id: things.runId },
      experiment: { experiment_id: things.experimentId },
      output_models: [{ model_id: things.modelId, name: expect.any(String) }],
    });
    expect(await of(blind, "1")).toMatchObject({
      run: null,
      experiment: null,
      output_models: [],
      datasets: [],
    });
    expect((await of(seeing, "2")).logged_model.model_id).toBe(things.modelId);
    expect(await of(blind, "2")).toMatchObject({ logged_model: null, run: null, experiment: null });
    refused(await blind.get(`${LINEAGE}/model-versions?${query({ run_id: things.runId })}`));
    refused(await blind.get(`${LINEAGE}/model-versions?${query({ experiment_id: things.experimentId })}`));
    refused(await blind.get(`${LINEAGE}/model-versions?${query({ model_id: things.modelId })}`));
    const other = await access.caller(["experiment", things.experimentId, "READ"]);
    refused(await other.get(`${LINEAGE}/model-version?${query({ name, version: "1" })}`));
    expect(accepted(await other.get(`${LINEAGE}/model-versions?${query({ run_id: things.runId })}`))).toEqual(
      {
        model_versions: [],
      },
    );
  });

  test("of a dataset pages through what may be seen alone", async () => {
    const data = fresh("rows");
    const dataset = { name: data, digest: "1", source_type: "local", source: "x" };
    const seen: string[] = [];
    const grants: ["experiment" | "registered_model", string, "READ"][] = [];
    for (let count = 0; count < 6; count += 1) {
      const { experimentId, runId } = await makeThings(access.admin);
      accepted(await admin.post(`${API}/runs/log-inputs`, { run_id: runId, datasets: [{ dataset }] }));
      const name = await newModel(admin);
      await newVersion(admin, name, { run_id: runId });
      if (count % 3 !== 0) grants.push(["registered_model", name, "READ"]);
      if (count % 2 === 0) grants.push(["experiment", experimentId, "READ"]);
      if (count % 3 !== 0 && count % 2 === 0) seen.push(name);
    }
    const caller = await access.caller(...grants);
    const found: string[] = [];
    let token: string | undefined;
    do {
      const asked = { dataset_name: data, dataset_digest: "1", max_results: "1" };
      const page = accepted(
        await caller.get(
          `${LINEAGE}/model-versions?${query(token === undefined ? asked : { ...asked, page_token: token })}`,
        ),
      );
      expect(page.model_versions).toHaveLength(1);
      found.push(page.model_versions[0].name);
      token = page.next_page_token;
    } while (token !== undefined);
    expect(found.toSorted()).toEqual(seen.toSorted());
  });
});
