import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Answer, Json } from "../../../test/harness.ts";
import { accepted, API } from "../../../test/runs.ts";
import {
  makeThings,
  startAccessServer,
  type AccessServer,
  type Caller,
  type Things,
} from "./tracking-access-fixture.ts";

const PROXY = "/api/2.0/mlflow-artifacts";

let access: AccessServer;
let things: Things;
let others: Things;

beforeAll(async () => {
  access = await startAccessServer();
  things = await makeThings(access.admin);
  others = await makeThings(access.admin);
  for (const { experimentId, runId, modelId } of [things, others]) {
    for (const path of [`${runId}/artifacts/a.txt`, `models/${modelId}/artifacts/b.txt`]) {
      expect((await put(access.admin, `${experimentId}/${path}`)).status).toBe(200);
    }
  }
});
afterAll(() => access[Symbol.asyncDispose]());

const put = (caller: Pick<Caller, "call">, path: string): Promise<Answer> =>
  caller.call("PUT", `${PROXY}/artifacts/${path}`, "secret");
const refused = ({ status, text }: Answer): void =>
  expect([status, text]).toEqual([403, expect.stringContaining("Permission denied")]);
const listed = async (caller: Pick<Caller, "get">, path: string): Promise<string[]> => {
  const { files = [] } = accepted(await caller.get(`${PROXY}/artifacts?path=${path}`));
  return files.map((file: Json) => file.path);
};

describe("a path of the artifact store", () => {
  const uses: [string, "READ" | "EDIT" | "MANAGE", (place: string) => [string, string, unknown?]][] = [
    ["reading", "READ", (place) => ["GET", `${PROXY}/artifacts/${place}/a.txt`]],
    ["looking", "READ", (place) => ["HEAD", `${PROXY}/artifacts/${place}/a.txt`]],
    ["listing", "READ", (place) => ["GET", `${PROXY}/artifacts?path=${place}`]],
    ["signing", "READ", (place) => ["GET", `${PROXY}/presigned/${place}/a.txt`]],
    ["writing", "EDIT", (place) => ["PUT", `${PROXY}/artifacts/${place}/c.txt`, "x"]],
    ["beginning", "EDIT", (place) => ["POST", `${PROXY}/mpu/create/${place}`, { path: "big", num_parts: 1 }]],
    ["deleting", "MANAGE", (place) => ["DELETE", `${PROXY}/artifacts/${place}/c.txt`]],
  ];

  test.each(uses)(
    "is for %s by who has %s on the experiment in whose place it is",
    async (_what, needed, asked) => {
      const order = ["READ", "USE", "EDIT", "MANAGE"] as const;
      for (const permission of order) {
        const caller = await access.caller(["experiment", things.experimentId, permission]);
        const place = `${things.experimentId}/${things.runId}/artifacts`;
        const mine = await caller.call(...asked(place));
        const isAllowed = order.indexOf(permission) >= order.indexOf(needed);
        // This store has no addresses of its own to sign, which is told to those who may read.
        expect([permission, [200, 501].includes(mine.status)]).toEqual([permission, isAllowed]);
        if (!isAllowed) expect(mine.status).toBe(403);
        const theirs = await caller.call(...asked(`${others.experimentId}/${others.runId}/artifacts`));
        expect([permission, theirs.status]).toEqual([permission, 403]);
      }
    },
  );

  test("is not reached by another spelling of it", async () => {
    const caller = await access.caller(["experiment", things.experimentId, "MANAGE"]);
    const { experimentId, runId } = others;
    for (const path of [
      `/${experimentId}/${runId}/artifacts/a.txt`,
      `./${experimentId}/${runId}/artifacts/a.txt`,
      `${experimentId}//${runId}/artifacts/a.txt`,
      `%2e/${experimentId}/${runId}/artifacts/a.txt`,
      `${things.experimentId}/%2e%2e/${experimentId}/${runId}/artifacts/a.txt`,
      `${things.experimentId}%2f..%2f${experimentId}/${runId}/artifacts/a.txt`,
      `${experimentId}%2f${runId}/artifacts/a.txt`,
      `${experimentId}%252f${runId}/artifacts/a.txt`,
    ]) {
      const answer = await caller.get(`${PROXY}/artifacts/${path}`);
      expect([path, [400, 403, 404].includes(answer.status), answer.text]).toEqual([
        path,
        true,
        expect.not.stringMatching(/^secret$/),
      ]);
    }
  });

  test("above several experiments shows only those that the caller may read", async () => {
    const one = await access.caller(["experiment", things.experimentId, "READ"]);
    expect(await listed(one, "")).toEqual([things.experimentId]);
    const rest = await access.caller(["workspace", "*", "READ"], ["experiment", others.experimentId, "DENY"]);
    const seen = await listed(rest, "");
    expect(seen).toContain(things.experimentId);
    expect(seen).not.toContain(others.experimentId);
    refused(await rest.get(`${PROXY}/artifacts?path=${others.experimentId}`));
    const nothing = await access.caller(["registered_model", "x", "READ"]);
    expect(await listed(nothing, "")).toEqual([]);
  });

  test("of an experiment shows no runs where runs are denied, and no models where models are", async () => {
    const { experimentId, runId, modelId } = things;
    const noRuns = await access.caller(["experiment", experimentId, "MANAGE"], ["run", "*", "DENY"]);
    expect(await listed(noRuns, experimentId)).toEqual(["models"]);
    refused(await noRuns.get(`${PROXY}/artifacts/${experimentId}/${runId}/artifacts/a.txt`));
    expect(
      (await noRuns.get(`${PROXY}/artifacts/${experimentId}/models/${modelId}/artifacts/b.txt`)).text,
    ).toBe("secret");
    refused(await noRuns.call("DELETE", `${PROXY}/artifacts/${experimentId}`));
    const noModels = await access.caller(
      ["experiment", experimentId, "MANAGE"],
      ["logged_model", "*", "DENY"],
    );
    expect(await listed(noModels, experimentId)).toEqual([runId]);
    refused(await noModels.get(`${PROXY}/artifacts/${experimentId}/models/${modelId}/artifacts/b.txt`));
    refused(await noModels.call("DELETE", `${PROXY}/artifacts/${experimentId}`));
  });

  test("a place that somebody chose is the experiment's too", async () => {
    const made = await access.admin.post(`${API}/experiments/create`, {
      name: "chosen",
      artifact_location: "mlflow-artifacts:/team/chosen",
    });
    const { experiment_id: id } = accepted(made);
    const run = accepted(await access.admin.post(`${API}/runs/create`, { experiment_id: id })).run.info;
    const path = `team/chosen/${run.run_id}/artifacts/a.txt`;
    expect((await put(access.admin, path)).status).toBe(200);
    const reader = await access.caller(["experiment", id, "READ"]);
    expect((await reader.get(`${PROXY}/artifacts/${path}`)).text).toBe("secret");
    refused(await put(reader, path));
    const rest = await access.caller(["workspace", "*", "EDIT"], ["experiment", id, "DENY"]);
    refused(await rest.get(`${PROXY}/artifacts/${path}`));
    // Nor is it deleted with what it is in.
    const manager = await access.caller(
      ["workspace", "*", "READ"],
      ["bucket", "*", "MANAGE"],
      ["experiment", id, "READ"],
    );
    refused(await manager.call("DELETE", `${PROXY}/artifacts/team`));
    expect((await reader.get(`${PROXY}/artifacts/${path}`)).text).toBe("secret");
  });
});

describe("a prefix of the bucket", () => {
  const BUCKET = "mlflow-artifacts";

  test("is shared by project and environment, and by nothing beside", async () => {
    const dev = await access.caller(
      ["bucket", `${BUCKET}/projects/churn/dev`, "EDIT"],
      ["bucket", `${BUCKET}/projects/churn/prod`, "READ"],
    );
    expect((await put(access.admin, "projects/churn/prod/model.txt")).status).toBe(200);
    expect((await put(dev, "projects/churn/dev/model.txt")).status).toBe(200);
    expect((await dev.get(`${PROXY}/artifacts/projects/churn/prod/model.txt`)).text).toBe("secret");
    for (const path of [
      "projects/churn/prod/model.txt",
      "projects/churn/development/model.txt",
      "projects/churn/dev2",
      "projects/other/dev/model.txt",
      "projects/churn/model.txt",
      "model.txt",
      "projects/churn/dev/../prod/model.txt",
    ]) {
      const { status } = await put(dev, path);
      expect([path, [400, 403].includes(status)]).toEqual([path, true]);
    }
    refused(await dev.call("DELETE", `${PROXY}/artifacts/projects/churn/dev`));
    refused(await dev.call("DELETE", `${PROXY}/artifacts/projects`));
    expect(await listed(dev, "projects/churn")).toEqual(["dev", "prod"]);
    expect(await listed(dev, "projects")).toEqual([]);
    expect(await listed(dev, "")).toEqual([]);
  });

  test("that is denied is not deleted with what it is in", async () => {
    expect((await put(access.admin, "shared/open/a.txt")).status).toBe(200);
    expect((await put(access.admin, "shared/closed/a.txt")).status).toBe(200);
    const caller = await access.caller(
      ["bucket", `${BUCKET}/shared`, "MANAGE"],
      ["bucket", `${BUCKET}/shared/closed`, "DENY"],
    );
    refused(await caller.call("DELETE", `${PROXY}/artifacts/shared`));
    refused(await caller.get(`${PROXY}/artifacts/shared/closed/a.txt`));
    expect(await listed(caller, "shared")).toEqual(["open"]);
    accepted(await caller.call("DELETE", `${PROXY}/artifacts/shared/open`));
    expect((await access.admin.get(`${PROXY}/artifacts/shared/closed/a.txt`)).text).toBe("secret");
  });

  test("opens nothing of an experiment whose place is below it", async () => {
    const caller = await access.caller(["bucket", BUCKET, "MANAGE"]);
    const path = `${others.experimentId}/${others.runId}/artifacts/a.txt`;
    refused(await caller.get(`${PROXY}/artifacts/${path}`));
    refused(await put(caller, path));
    refused(await caller.call("DELETE", `${PROXY}/artifacts/${others.experimentId}`));
  });
});
