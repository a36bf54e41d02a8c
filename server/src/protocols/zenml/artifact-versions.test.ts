import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer, stranger } = await startZenmlTeam("team");

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/artifact_versions";
const ARTIFACTS = "/api/v1/artifacts";
const [project] = await server.database.prepared<{ uuid: string }>(
  { name: "test_project_id", text: "select uuid from identity.workspaces where name = 'team'" },
  [],
);
const projectId = project?.uuid ?? "";
const source = { module: "zenml.materializers", attribute: "Builtin", type: "internal" };

const made = (name: string, more: object = {}): object => ({
  project: projectId,
  artifact_name: name,
  type: "DataArtifact",
  uri: `s3://bucket/${name}`,
  materializer: source,
  data_type: source,
  save_type: "step_output",
  ...more,
});

type Version = { id: string; body: { version: string; artifact: { id: string; name: string } } };
const versionsOf = (items: readonly Version[]): string[] =>
  items.map(({ body }) => `${body.artifact.name}@${body.version}`);
const list = async (query: string): Promise<string[]> => {
  const { status, json, text } = await editor.get(`${API}?project=team&size=100&${query}`);
  expect(status, text).toBe(200);
  return versionsOf(json.items);
};

describe("versions of artifacts", () => {
  it("are made with all that is about them", async () => {
    const created = await editor.post(
      API,
      made("whole", {
        content_hash: "abc",
        item_count: 3,
        has_custom_name: true,
        tags: ["whole-b", "whole-a"],
        visualizations: [
          { type: "html", uri: "s3://bucket/one" },
          { type: "image", uri: "s3://bucket/two" },
        ],
        metadata: { n: 1, x: 1.5, s: "t", d: { k: 1 }, l: [1, 2], f: true },
      }),
    );
    expect(created.status, created.text).toBe(200);
    expect(created.json).toMatchObject({
      body: {
        project_id: projectId,
        version: "1",
        uri: "s3://bucket/whole",
        type: "DataArtifact",
        materializer: source,
        content_hash: "abc",
        item_count: 3,
        artifact_store_id: null,
        artifact: { name: "whole" },
      },
      metadata: {
        visualizations: [{ body: { type: "html" } }, { body: { type: "image", uri: "s3://bucket/two" } }],
        run_metadata: { n: 1, x: 1.5, s: "t", d: { k: 1 }, l: [1, 2], f: true },
      },
      resources: {
        user: { name: "ed" },
        tags: [{ name: "whole-a" }, { name: "whole-b" }],
        producer_step_run_id: null,
        producer_pipeline_run_id: null,
      },
    });
    const read = await viewer.get(`${API}/${created.json.id}`);
    expect(read.text).toBe(created.text);
    const short = (await viewer.get(`${API}/${created.json.id}?hydrate=false`)).json;
    expect(short).toMatchObject({ metadata: null, resources: { tags: [{}, {}] } });
    const artifact = await viewer.get(`${ARTIFACTS}/${created.json.body.artifact.id}`);
    expect(artifact.json).toMatchObject({
      metadata: { has_custom_name: true },
      resources: { latest_version_name: "1", latest_version_id: created.json.id, tags: [] },
    });
  });

  it("are numbered after the highest number", async () => {
    const next = async (version?: unknown): Promise<string> => {
      const { json, text, status } = await editor.post(API, made("numbers", { version }));
      return status === 200 ? json.body.version : `${status} ${text}`;
    };
    expect(await next()).toBe("1");
    expect(await next(null)).toBe("2");
    expect(await next(10)).toBe("10");
    expect(await next("11")).toBe("11");
    expect(await next("foo")).toBe("foo");
    expect(await next(5)).toBe("5");
    expect(await next()).toBe("12");
    expect(await next("foo")).toContain(
      "Unable to create artifact version numbers (version foo): An artifact with the same name and version already exists.",
    );
    expect(await next(5)).toMatch(/^409/);
    expect(await next("")).toMatch(/^4/);
    expect(await next(0)).toMatch(/^4/);
    expect(await next("x".repeat(255))).toMatch(/^422/);
    expect(await next()).toBe("13");
  });

  it("get different numbers whoever is faster", async () => {
    const writers = Array.from({ length: 50 }, () => editor.post(API, made("crowd")));
    const answers = await Promise.all(writers);
    expect(answers.map(({ status }) => status)).toStrictEqual(answers.map(() => 200));
    const numbers = answers.map(({ json }) => Number(json.body.version)).toSorted((a, b) => a - b);
    expect(numbers).toStrictEqual(Array.from({ length: 50 }, (_, at) => at + 1));
    expect(new Set(answers.map(({ json }) => json.body.artifact.id)).size).toBe(1);
  });

  it("are made many at once, in their order, or none", async () => {
    const batch = [
      made("many"),
      made("many", { version: 7 }),
      made("many"),
      made("other", { metadata: { a: 1 } }),
      made("many", { version: "last", tags: ["many"] }),
    ];
    const { json } = await editor.post(`${API}/batch`, batch);
    expect(versionsOf(json)).toStrictEqual(["many@1", "many@7", "many@8", "other@1", "many@last"]);
    expect(json[3].metadata.run_metadata).toStrictEqual({ a: 1 });
    const refused = await editor.post(`${API}/batch`, [made("many"), made("many", { version: "last" })]);
    expect(refused.status).toBe(409);
    expect(await list("artifact=many&sort_by=desc:version_number&version_number=gt:0")).toStrictEqual([
      "many@8",
      "many@7",
      "many@1",
    ]);
    expect((await editor.post(`${API}/batch`, [])).json).toStrictEqual([]);
  });

  it("are made once by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const batch = [
      made("once", { tags: ["once"], metadata: { b: 1, a: 2 } }),
      made("once", { visualizations: [{ type: "csv", uri: "u" }] }),
    ];
    const first = await editor.call("POST", `${API}/batch`, batch, headers);
    const again = await editor.call("POST", `${API}/batch`, batch, headers);
    expect(first.status, first.text).toBe(200);
    expect(again.text).toBe(first.text);
    expect(await list("artifact=once")).toStrictEqual(["once@1", "once@2"]);
  });

  it("refuse what does not fit", async () => {
    const status = async (more: object): Promise<number> =>
      (await editor.post(API, made("bad", more))).status;
    expect(await status({ artifact_id: randomUUID() })).toBe(422);
    expect(await status({ artifact_name: null })).toBe(422);
    expect(await status({ artifact_name: null, artifact_id: randomUUID() })).toBe(404);
    expect(await status({ type: "foo" })).toBe(422);
    expect(await status({ save_type: "foo" })).toBe(422);
    expect(await status({ artifact_store_id: randomUUID() })).toBe(404);
    expect(await status({ materializer: { module: "x" } })).toBe(422);
    expect(await status({ metadata: { "a:b": 1 } })).toBe(400);
    expect(await status({ metadata: { a: null } })).toBe(400);
    expect(await status({ visualizations: [{ type: "foo", uri: "x" }] })).toBe(422);
    expect(await status({ tags: [randomUUID()] })).toBe(404);
    expect(await status({ project: randomUUID() })).toBe(404);
    expect(await list("artifact=bad")).toStrictEqual([]);
  });

  it("keep the path of a source, and metadata that is not too long", async () => {
    const { json } = await editor.post(
      API,
      made("path", { materializer: "a.b.C", metadata: { long: "x".repeat(70_000), short: 1 } }),
    );
    expect(json.body.materializer).toStrictEqual({ module: "a.b", attribute: "C", type: "unknown" });
    expect(json.metadata.run_metadata).toStrictEqual({ short: 1 });
  });

  it("are for those with a part in the project", async () => {
    const { json } = await editor.post(API, made("guarded"));
    expect((await viewer.post(API, made("guarded"))).status).toBe(403);
    expect((await viewer.call("DELETE", `${API}/${json.id}`)).status).toBe(403);
    expect((await viewer.call("PUT", `${API}/${json.id}`, { add_tags: ["x"] })).status).toBe(403);
    const unknown = randomUUID();
    const hidden = await stranger.get(`${API}/${json.id}`);
    const missing = await stranger.get(`${API}/${unknown}`);
    expect(hidden.status).toBe(404);
    expect(hidden.text.replaceAll(json.id, unknown)).toBe(missing.text);
    expect((await stranger.post(API, made("guarded"))).status).toBe(404);
    const elsewhere = (await stranger.get("/api/v1/projects/elsewhere")).json.id;
    const borrowed = made("x", {
      project: elsewhere,
      artifact_name: null,
      artifact_id: json.body.artifact.id,
    });
    expect((await stranger.post(API, borrowed)).status).toBe(404);
  });

  it("get tags and lose them", async () => {
    const { json } = await editor.post(API, made("tagged"));
    const changed = await editor.call("PUT", `${API}/${json.id}`, { add_tags: ["t-one", "t-two"] });
    expect(changed.json.resources.tags.map((tag: { name: string }) => tag.name)).toStrictEqual([
      "t-one",
      "t-two",
    ]);
    const fewer = await editor.call("PUT", `${API}/${json.id}`, { remove_tags: ["t-one", "never"] });
    expect(fewer.json.resources.tags.map((tag: { name: string }) => tag.name)).toStrictEqual(["t-two"]);
  });

  it("are deleted, with what is about them", async () => {
    const { json } = await editor.post(API, made("gone", { tags: ["gone"], metadata: { a: 1 } }));
    expect((await editor.call("DELETE", `${API}/${json.id}?delete_metadata=false`)).json).toBeNull();
    expect((await editor.get(`${API}/${json.id}`)).status).toBe(200);
    const data = await editor.call("DELETE", `${API}/${json.id}?delete_from_artifact_store=true`);
    expect([data.status, data.json.detail[0]]).toStrictEqual([400, "ValueError"]);
    expect((await editor.call("DELETE", `${API}/${json.id}`)).json).toBeNull();
    expect((await editor.get(`${API}/${json.id}`)).status).toBe(404);
    expect((await editor.get("/api/v1/tags/gone")).json.metadata.tagged_count).toBe(0);
    const left = await server.database.prepared<{ left: number }>(
      {
        name: "test_left_metadata",
        text: `select count(*)::integer as left from pipelines.run_metadata as m
          where not exists (select from pipelines.run_metadata_resources as r where r.metadata_id = m.id)`,
      },
      [],
    );
    expect(left).toStrictEqual([{ left: 0 }]);
  });
});

describe("lists of versions", () => {
  it("are filtered and ordered by all that they have", async () => {
    await editor.post(
      `${API}/batch`,
      ["xa", "xa", "xb"].map((name, at) =>
        made(name, {
          type: at === 0 ? "ModelArtifact" : "DataArtifact",
          tags: at === 2 ? ["f-tag"] : ["f-tag", "f-more"],
          metadata: { f_number: at, f_text: `t${at}` },
          has_custom_name: name === "xb",
        }),
      ),
    );
    expect(await list("artifact=xa")).toStrictEqual(["xa@1", "xa@2"]);
    expect(await list("artifact=xa&sort_by=desc:created&size=1")).toStrictEqual(["xa@2"]);
    expect(await list("artifact=startswith:x&version=1")).toStrictEqual(["xa@1", "xb@1"]);
    expect(await list("uri=contains:/xb")).toStrictEqual(["xb@1"]);
    expect(await list("type=ModelArtifact&artifact=xa")).toStrictEqual(["xa@1"]);
    expect(await list("artifact=xa&materializer=contains:materializers")).toHaveLength(2);
    expect(await list("tags=f-tag&tags=f-more")).toStrictEqual(["xa@1", "xa@2"]);
    expect(await list("run_metadata=f_number:gte:1")).toStrictEqual(["xa@2", "xb@1"]);
    expect(await list("run_metadata=f_text:t0")).toStrictEqual(["xa@1"]);
    expect(await list("artifact=startswith:x&has_custom_name=true")).toStrictEqual(["xb@1"]);
    expect(await list("artifact=xa&only_unused=true")).toHaveLength(2);
    expect(
      await list("logical_operator=or&artifact=xb&run_metadata=f_text:t1&only_unused=false"),
    ).toStrictEqual(["xa@2", "xb@1"]);
    expect(await list("artifact=xa&model=none")).toStrictEqual([]);
    expect(await list("artifact=xa&pipeline_run=none")).toStrictEqual([]);
    for (const field of ["artifact", "model", "pipeline_run", "only_unused", "run_metadata"]) {
      expect((await editor.get(`${API}?project=team&sort_by=${field}`)).status).toBe(422);
    }
    const old = await editor.call("GET", `${API}?project=team&tag=f-more&size=1`, undefined, {
      "user-agent": "zenml/0.84.0",
    });
    expect(old.json.total).toBe(2);
  });
});

describe("pruning", () => {
  it("deletes what nothing uses, and artifacts without versions", async () => {
    await editor.post(`${API}/batch`, [made("pruned"), made("pruned")]);
    expect((await viewer.call("DELETE", `${API}?project_name_or_id=team`)).status).toBe(403);
    expect((await editor.call("DELETE", API)).status).toBe(422);
    expect((await editor.call("DELETE", `${API}?project_name_or_id=team`)).json).toBeNull();
    expect(await list("")).toStrictEqual([]);
    const named = `${ARTIFACTS}?project=team&name=pruned`;
    expect((await editor.get(named)).json.total).toBe(1);
    await editor.call("DELETE", `${API}?project_name_or_id=team&only_versions=false`);
    expect((await editor.get(named)).json.total).toBe(0);
  });
});
