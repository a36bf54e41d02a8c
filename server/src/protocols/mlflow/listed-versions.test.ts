import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Json, type TestServer } from "../../../test/harness.ts";
import { accepted } from "../../../test/runs.ts";
import { MODELS, newModel, newVersion, query, VERSIONS } from "../../../test/registry.ts";

// Lists remember versions: whatever changes one must show in the next list.
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const listed = async (name: string): Promise<Json[]> =>
  accepted(await server.get(`${VERSIONS}/search?${query({ filter: `name = '${name}'` })}`)).model_versions ??
  [];

const latest = async (name: string): Promise<Json[]> =>
  accepted(await server.get(`${MODELS}/search?${query({ filter: `name = '${name}'` })}`)).registered_models[0]
    .latest_versions ?? [];

const version = (name: string): Json => ({ name, version: "1" });

describe("a list that was shown before", () => {
  const changes: [string, (name: string) => Promise<unknown>, (shown: Json) => void][] = [
    [
      "a tag that is set",
      (name) => server.post(`${VERSIONS}/set-tag`, { ...version(name), key: "k", value: "new" }),
      (shown) => expect(shown.tags).toEqual([{ key: "k", value: "new" }]),
    ],
    [
      "a tag that is deleted",
      (name) => server.call("DELETE", `${VERSIONS}/delete-tag`, { ...version(name), key: "k" }),
      (shown) => expect(shown.tags).toBeUndefined(),
    ],
    [
      "a description",
      (name) => server.call("PATCH", `${VERSIONS}/update`, { ...version(name), description: "new" }),
      (shown) => expect(shown.description).toBe("new"),
    ],
    [
      "a stage",
      (name) =>
        server.post(`${VERSIONS}/transition-stage`, {
          ...version(name),
          stage: "Production",
          archive_existing_versions: false,
        }),
      (shown) => expect(shown.current_stage).toBe("Production"),
    ],
  ];

  test.each(changes)("shows %s", async (what, change, expectShown) => {
    const name = what.replaceAll(" ", "-");
    await newModel(server, { name });
    await newVersion(server, name, { source: "s3://b/p", tags: [{ key: "k", value: "old" }] });
    for (const list of [listed, latest]) {
      expect(await list(name)).toMatchObject([{ name, version: "1", tags: [{ key: "k", value: "old" }] }]);
    }
    accepted((await change(name)) as Parameters<typeof accepted>[0]);
    for (const list of [listed, latest]) {
      const [shown, ...others] = await list(name);
      expect(others).toEqual([]);
      expectShown(shown);
    }
  });

  test("shows the new name of its model, and no version that is gone", async () => {
    await newModel(server, { name: "before" });
    await newVersion(server, "before", { source: "s3://b/1" });
    await newVersion(server, "before", { source: "s3://b/2" });
    expect((await listed("before")).map((one) => one.version)).toEqual(["2", "1"]);
    accepted(await server.post(`${MODELS}/rename`, { name: "before", new_name: "after" }));
    expect((await listed("after")).map((one) => one.name)).toEqual(["after", "after"]);
    expect((await latest("after")).map((one) => one.name)).toEqual(["after"]);
    accepted(await server.call("DELETE", `${VERSIONS}/delete`, { name: "after", version: "2" }));
    expect((await listed("after")).map((one) => one.version)).toEqual(["1"]);
    expect((await latest("after")).map((one) => one.version)).toEqual(["1"]);
  });

  test("shows what another process changed", async () => {
    await using other = await startTestServer({}, server);
    await newModel(server, { name: "shared" });
    await newVersion(server, "shared", { source: "s3://b/p", tags: [{ key: "k", value: "old" }] });
    expect(await listed("shared")).toMatchObject([{ tags: [{ value: "old" }] }]);
    accepted(await other.post(`${VERSIONS}/set-tag`, { ...version("shared"), key: "k", value: "new" }));
    expect(await listed("shared")).toMatchObject([{ tags: [{ value: "new" }] }]);
  });
});
