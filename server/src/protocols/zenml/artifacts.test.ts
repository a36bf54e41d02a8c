import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { newArtifactVersion, newRun, newSnapshot, newStep, projectIdOf } from "../../../test/pipelines.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, viewer, stranger } = await startZenmlTeam("team");
const project = await projectIdOf(root, "team");

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/artifacts";
const VERSIONS = "/api/v1/artifact_versions";
const made = (name: string, more: object = {}): object => ({ project, name, ...more });

describe("artifacts", () => {
  it("are made, read, changed and deleted", async () => {
    const { json, text } = await editor.post(API, made("whole", { tags: ["b", "a"] }));
    expect(json, text).toMatchObject({
      name: "whole",
      body: { project_id: project },
      metadata: { has_custom_name: false },
      resources: {
        user: { name: "ed" },
        tags: [{ name: "a" }, { name: "b" }],
        latest_version_name: null,
        latest_version_id: null,
      },
    });
    expect((await viewer.get(`${API}/${json.id}`)).json).toStrictEqual(json);
    expect((await viewer.get(`${API}/${json.id}?hydrate=false`)).json).toMatchObject({ metadata: null });
    const change = async (changes: object): Promise<object> =>
      (await editor.call("PUT", `${API}/${json.id}`, changes)).json;
    expect(await change({ add_tags: ["c"], remove_tags: ["a"] })).toMatchObject({
      metadata: { has_custom_name: false },
      resources: { tags: [{ name: "b" }, { name: "c" }] },
    });
    expect(await change({ name: "renamed" })).toMatchObject({
      name: "renamed",
      metadata: { has_custom_name: true },
    });
    expect(await change({ has_custom_name: false })).toMatchObject({ metadata: { has_custom_name: false } });
    expect((await editor.call("DELETE", `${API}/${json.id}`)).json).toBeNull();
    expect((await editor.get(`${API}/${json.id}`)).status).toBe(404);
    expect((await editor.get("/api/v1/tags/b")).json.metadata.tagged_count).toBe(0);
  });

  it("have names of their own in a project", async () => {
    const { json } = await editor.post(API, made("mine"));
    const taken = await editor.post(API, made("mine"));
    expect([taken.status, taken.json.detail[0]]).toStrictEqual([409, "EntityExistsError"]);
    const other = await editor.post(API, made("other"));
    expect((await editor.call("PUT", `${API}/${other.json.id}`, { name: "mine" })).status).toBe(409);
    expect((await editor.post(API, made(""))).status).toBe(400);
    expect((await editor.post(API, made("a\nb"))).status).toBe(400);
    expect((await editor.post(API, made("x".repeat(256)))).status).toBe(422);
    const elsewhere = await projectIdOf(root, "elsewhere");
    expect((await stranger.post(API, { project: elsewhere, name: "mine" })).json.id).not.toBe(json.id);
  });

  it("are made once, with their tags, by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const first = await editor.call("POST", API, made("once", { tags: ["once"] }), headers);
    const again = await editor.call("POST", API, made("once", { tags: ["once"] }), headers);
    expect(first.status).toBe(200);
    expect(again.json).toStrictEqual(first.json);
  });

  it("are not made where their tags are refused", async () => {
    await editor.post("/api/v1/tags", { name: "only-one", exclusive: true });
    expect((await editor.post(API, made("refused", { tags: ["new-tag", "only-one"] }))).status).toBe(400);
    expect((await editor.get(`${API}?project=team&name=refused`)).json.total).toBe(0);
    expect((await editor.get("/api/v1/tags/new-tag")).status).toBe(404);
  });

  it("are listed by page, the one with the newest version first", async () => {
    for (const name of ["list-a", "list-b", "list-c"]) await newArtifactVersion(editor, project, name);
    await newArtifactVersion(editor, project, "list-a");
    const { json } = await editor.get(
      `${API}?project=team&name=startswith:list-&sort_by=desc:latest_version&size=2`,
    );
    expect(json).toMatchObject({ total: 3, total_pages: 2 });
    expect(
      json.items.map((one: { name: string; resources: { latest_version_name: string } }) => [
        one.name,
        one.resources.latest_version_name,
      ]),
    ).toStrictEqual([
      ["list-a", "2"],
      ["list-c", "1"],
    ]);
    const list = async (query: string): Promise<number> =>
      (await editor.get(`${API}?project=team&${query}`)).json.total;
    expect(await list("has_custom_name=true&name=startswith:list-")).toBe(0);
    expect(await list("latest_version=nothing-asked&name=list-a")).toBe(1);
  });

  it("are for those with a part in the project", async () => {
    const { json } = await editor.post(API, made("guarded"));
    expect((await viewer.post(API, made("no"))).status).toBe(403);
    expect((await viewer.call("PUT", `${API}/${json.id}`, { name: "x" })).status).toBe(403);
    const unknown = randomUUID();
    const hidden = await stranger.get(`${API}/${json.id}`);
    const missing = await stranger.get(`${API}/${unknown}`);
    expect(hidden.status).toBe(404);
    expect(hidden.text.replaceAll(json.id, unknown)).toBe(missing.text);
  });
});

describe("versions that steps made", async () => {
  const { snapshot } = await newSnapshot(root, project, {
    steps: { make: {}, take: { upstream: ["make"] } },
  });
  const newOutput = async (status: string, more: object = {}): Promise<[string, string, string]> => {
    const run = await newRun(root, project, snapshot);
    const step = await newStep(root, project, run.id, "make", more);
    const version = await newArtifactVersion(root, project, `output-${randomUUID()}`);
    if (status !== "") {
      await root.call("PUT", `/api/v1/steps/${step.id}`, { status, outputs: { output: [version] } });
    }
    return [version, step.id, run.id];
  };

  it("name the step, and its run, but not one that took them over", async () => {
    const [version, step, run] = await newOutput("completed");
    const later = await newRun(root, project, snapshot);
    await newStep(root, project, later.id, "make", {
      status: "cached",
      original_step_run_id: step,
      outputs: { output: [version] },
    });
    expect((await viewer.get(`${VERSIONS}/${version}`)).json.resources).toMatchObject({
      producer_step_run_id: step,
      producer_pipeline_run_id: run,
    });
  });

  it("are found by their run, and are not deleted", async () => {
    const [version, , run] = await newOutput("completed");
    const unused = await newArtifactVersion(editor, project, "unused");
    const ids = async (query: string): Promise<string[]> =>
      (await editor.get(`${VERSIONS}?project=team&size=100&${query}`)).json.items.map(
        (one: { id: string }) => one.id,
      );
    const { name } = (await viewer.get(`/api/v1/runs/${run}`)).json;
    expect(await ids(`pipeline_run=${run}`)).toStrictEqual([version]);
    expect(await ids(`pipeline_run=${name}`)).toStrictEqual([version]);
    expect(await ids(`logical_operator=or&pipeline_run=${run}&artifact=unused`)).toStrictEqual([
      version,
      unused,
    ]);
    const free = await ids("only_unused=true");
    expect([free.includes(version), free.includes(unused)]).toStrictEqual([false, true]);
    const refused = await editor.call("DELETE", `${VERSIONS}/${version}`);
    expect([refused.status, refused.json.detail[0]]).toStrictEqual([400, "ValueError"]);
    await editor.call("DELETE", `${VERSIONS}?project_name_or_id=team`);
    expect(await ids(`pipeline_run=${run}`)).toStrictEqual([version]);
    expect((await editor.get(`${VERSIONS}/${unused}`)).status).toBe(404);
  });
});
