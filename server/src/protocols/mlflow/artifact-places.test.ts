import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accepted, API, fresh } from "../../../test/runs.ts";
import { makeThings, startAccessServer, type AccessServer, type Caller } from "./tracking-access-fixture.ts";

let access: AccessServer;

beforeAll(async () => {
  access = await startAccessServer();
});
afterAll(() => access[Symbol.asyncDispose]());

const STORE = "/api/2.0/mlflow-artifacts/artifacts";

async function makeAt({ post }: Caller, artifact_location?: string): Promise<string> {
  const given = { name: fresh("placed"), ...(artifact_location === undefined ? {} : { artifact_location }) };
  return accepted(await post(`${API}/experiments/create`, given)).experiment_id as string;
}

const put = async ({ call }: Caller, path: string): Promise<number> =>
  (await call("PUT", `${STORE}/${path}`, new Uint8Array([1]))).status;
const get = async ({ call }: Caller, path: string): Promise<number> =>
  (await call("GET", `${STORE}/${path}`)).status;
const remove = async ({ call }: Caller, path: string): Promise<number> =>
  (await call("DELETE", `${STORE}/${path}`)).status;

describe("an artifact has the permission of what it is in", () => {
  test("by its path, whatever permission the workspace gives", async () => {
    const { experimentId: id, runId, modelId } = await makeThings(access.admin);
    const ofRun = `${id}/${runId}/artifacts/file`;
    const ofModel = `${id}/models/${modelId}/artifacts/file`;
    for (const path of [ofRun, ofModel]) expect(await put(access.admin, path)).toBe(200);
    const viewer = await access.caller(["workspace", "*", "READ"]);
    const refused = await access.caller(["workspace", "*", "EDIT"], ["experiment", id, "NO_PERMISSIONS"]);
    const withoutRuns = await access.caller(["workspace", "*", "READ"], ["run", "*", "DENY"]);
    const editor = await access.caller(["experiment", id, "EDIT"]);
    const manager = await access.caller(["experiment", id, "MANAGE"]);
    for (const path of [ofRun, ofModel]) {
      expect([await get(viewer, path), await put(viewer, path), await remove(viewer, path)]).toEqual([
        200, 403, 403,
      ]);
      expect([await get(refused, path), await put(refused, path)]).toEqual([403, 403]);
      expect([await get(editor, path), await put(editor, path), await remove(editor, path)]).toEqual([
        200, 200, 403,
      ]);
    }
    expect([await get(withoutRuns, ofRun), await get(withoutRuns, ofModel)]).toEqual([403, 200]);
    expect(await remove(manager, ofRun)).toBe(200);
  });

  test("in a place that somebody chose, however it was written", async () => {
    const id = await makeAt(access.admin, "mlflow-artifacts:///chosen//by/somebody/");
    const path = "chosen/by/somebody/run/artifacts/file";
    expect(await put(access.admin, path)).toBe(200);
    const refused = await access.caller(["workspace", "*", "EDIT"], ["experiment", id, "NO_PERMISSIONS"]);
    expect([await get(refused, path), await put(refused, path)]).toEqual([403, 403]);
    expect(await put(refused, "chosen/by/nobody")).toBe(200);
    expect(await get(await access.caller(["experiment", id, "READ"]), path)).toBe(200);
  });
});

describe("nobody comes by another's artifacts", () => {
  test("by an experiment in the place of one that is made later", async () => {
    const creator = await access.caller(["workspace", "*", "USE"]);
    const last = Number(await makeAt(creator));
    const future = last + 3;
    const traps = [
      await makeAt(creator, `mlflow-artifacts:/${future}`),
      await makeAt(creator, `mlflow-artifacts:/${future}/models`),
    ];
    expect(traps).toEqual([last + 1, last + 2].map(String));
    const { experimentId, runId, modelId } = await makeThings(access.admin);
    expect(experimentId).toBe(String(future));
    const paths = [`${future}/${runId}/artifacts/file`, `${future}/models/${modelId}/artifacts/file`];
    for (const path of paths) expect(await put(access.admin, path)).toBe(200);
    await access.grant(creator, ["experiment", experimentId, "NO_PERMISSIONS"]);
    for (const path of paths) {
      expect([await get(creator, path), await put(creator, path), await remove(creator, path)]).toEqual([
        403, 403, 403,
      ]);
    }
    // And the traps take nothing from whom the artifacts belong to.
    const reader = await access.caller(["experiment", experimentId, "READ"]);
    for (const path of paths) expect(await get(reader, path)).toBe(200);
  });

  test("by deleting a folder above", async () => {
    const mine = await makeAt(access.admin, "mlflow-artifacts:/team");
    const theirs = await makeAt(access.admin, "mlflow-artifacts:/team/theirs");
    for (const path of ["team/mine/file", "team/theirs/file"])
      expect(await put(access.admin, path)).toBe(200);
    const manager = await access.caller(["experiment", mine, "MANAGE"]);
    expect(await remove(manager, "team")).toBe(403);
    expect(await remove(manager, "team/theirs")).toBe(403);
    expect(await remove(manager, "team/mine")).toBe(200);
    await access.grant(manager, ["experiment", theirs, "MANAGE"]);
    expect(await remove(manager, "team")).toBe(200);
  });
});
