import { afterAll, describe, expect, it } from "vitest";
import { startTestServer, type Json } from "../../../test/harness.ts";
import {
  endStep,
  newArtifactVersion,
  newRun,
  newSnapshot,
  newStep,
  projectIdOf,
} from "../../../test/pipelines.ts";

const server = await startTestServer();
const project = await projectIdOf(server);
afterAll(() => server[Symbol.asyncDispose]());

const ask = async (body: object): Promise<Json> => {
  const answer = await server.post("/api/v1/runs/statistics", { filter: { project }, ...body });
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};

const { snapshot, pipeline } = await newSnapshot(server, project);
const first = await newRun(server, project, snapshot, {
  tags: ["a", "b"],
  start_time: "2026-11-20T10:30:00",
});
const step = await newStep(server, project, first.id, "one");
await endStep(server, step.id, { outputs: { out: [await newArtifactVersion(server, project)] } });
await newRun(server, project, snapshot, { tags: ["a"], start_time: "2026-11-22T23:59:59" });
await server.post("/api/v1/run-metadata", {
  project,
  resources: [{ id: first.id, type: "pipeline_run" }],
  values: { acc: 0.5, kind: "x" },
  types: { acc: "float", kind: "str" },
});

describe("statistics of runs", () => {
  it("count and measure them by what they are of", async () => {
    const simple = await ask({ groupings: [{ name: "s", type: "status" }] });
    expect(simple).toStrictEqual({
      groups: [
        { group_keys: { s: "completed" }, metrics: {}, run_count: 1 },
        { group_keys: { s: "running" }, metrics: {}, run_count: 1 },
      ],
      truncated: false,
    });
    const tags = await ask({
      groupings: [
        { name: "t", type: "tag" },
        { name: "p", type: "pipeline" },
      ],
    });
    expect(tags.groups).toStrictEqual([
      { group_keys: { t: "a", p: pipeline }, metrics: {}, run_count: 2 },
      { group_keys: { t: "b", p: pipeline }, metrics: {}, run_count: 1 },
    ]);
    const all = await ask({
      metrics: [
        { name: "steps", source: "step_count", aggregation: "sum" },
        { name: "cached", source: "cached_step_count", aggregation: "max" },
        { name: "made", source: "output_artifact_count", aggregation: "avg" },
        { name: "acc", source: "metadata", metadata_key: "acc", aggregation: "min" },
        { name: "longest", source: "duration", aggregation: "max" },
      ],
    });
    expect(all.groups).toMatchObject([
      { group_keys: {}, metrics: { steps: 1, cached: 0, made: 0.5, acc: 0.5 }, run_count: 2 },
    ]);
    expect(all.groups[0].metrics.longest).toBeGreaterThan(0);
  });

  it("go by time in its order, and keep the newest", async () => {
    const by = async (granularity: string, more: object = {}): Promise<Json> =>
      ask({ groupings: [{ name: "at", type: "time", granularity }], ...more });
    const keys = ({ groups }: Json): string[] => groups.map((group: Json) => group.group_keys.at);
    expect(keys(await by("hour"))).toStrictEqual(["2026-11-20 10:00:00", "2026-11-22 23:00:00"]);
    expect(keys(await by("day"))).toStrictEqual(["2026-11-20", "2026-11-22"]);
    expect(keys(await by("week"))).toStrictEqual(["2026-11-16"]);
    expect(keys(await by("month"))).toStrictEqual(["2026-11-01"]);
    const cut = await by("day", { max_groups: 1 });
    expect([keys(cut), cut.truncated]).toStrictEqual([["2026-11-22"], true]);
  });

  it("take filters, and groups by what was logged", async () => {
    const kinds = await ask({
      filter: { project, tags: ["b"], status: "completed" },
      groupings: [
        { name: "kind", type: "metadata", metadata_key: "kind" },
        { name: "src", type: "source_snapshot" },
      ],
    });
    expect(kinds.groups).toStrictEqual([{ group_keys: { kind: "x", src: null }, metrics: {}, run_count: 1 }]);
    expect(
      (await ask({ filter: { project, status: "failed" }, groupings: [{ name: "s", type: "status" }] }))
        .groups,
    ).toStrictEqual([]);
  });

  it("refuse what does not fit", async () => {
    const status = async (body: object): Promise<number> =>
      (await server.post("/api/v1/runs/statistics", { filter: { project }, ...body })).status;
    const twice = { name: "s", type: "status" };
    expect(await status({ groupings: [twice, twice] })).toBe(422);
    expect(await status({ groupings: [{ name: "x", type: "color" }] })).toBe(422);
    expect(await status({ max_groups: 0 })).toBe(422);
    expect(await status({ filter: { project: "nowhere" } })).toBe(404);
  });
});
