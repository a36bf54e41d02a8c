import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { holdTable } from "../../../test/database-locks.ts";
import { startTestServer, type Json, type TestServer } from "../../../test/harness.ts";
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
import { accepted, API, newRun, refusal } from "../../../test/runs.ts";

let server: TestServer;
let second: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  second = await startTestServer({}, server);
});
afterAll(async () => {
  await second[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_one, index) => make(index));

const upTo = (count: number): number[] => times(count, (index) => index + 1);

async function numbersOf(name: string): Promise<number[]> {
  const filter = query({ filter: `name = '${name}'`, order_by: "version_number" });
  const { model_versions: found = [] } = accepted(await server.get(`${VERSIONS}/search?${filter}`));
  return found.map((version: Json) => Number(version.version));
}

/** Holds back every creation until `work` has sent its own; they then meet in one batch. */
async function together<T>(work: () => Promise<T>[]): Promise<T[]> {
  const held = await holdTable(server, "registry.registered_models");
  const first = createVersion(server, "nobody");
  await held.waiters(1);
  const sent = work();
  // By now they are queued behind the two batches that may be under way at once.
  await new Promise((resolve) => setTimeout(resolve, 200));
  await held.release();
  await first;
  return Promise.all(sent);
}

describe("versions that are registered at the same time", () => {
  test("have numbers without a gap, and none twice, from two processes and for two models", async () => {
    const names = [await newModel(server), await newModel(server)];
    const made = await Promise.all(
      times(60, async (index) => {
        const name = names[index % 2] ?? "";
        const number = await newVersion(index % 3 === 0 ? second : server, name);
        return `${name} ${number}`;
      }),
    );
    expect(new Set(made).size).toBe(60);
    for (const name of names) expect(await numbersOf(name)).toEqual(upTo(30));
  });

  test("have what each was given", async () => {
    const run = await newRun(server);
    const names = await Promise.all(times(3, () => newModel(server)));
    const given = (index: number): Record<string, unknown> => ({
      source: index % 2 === 0 ? `s3://bucket/${index}` : `runs:/${run}/${index}`,
      ...(index % 2 === 0 ? {} : { run_id: run }),
      description: `d${index}`,
      run_link: `l${index}`,
      tags: times(index % 4, (tag) => ({ key: `k${tag}`, value: `${index} ${tag}` })),
    });
    const answers = await together(() =>
      times(30, (index) => createVersion(server, names[index % 3] ?? "", given(index))),
    );
    for (const [index, answer] of answers.entries()) {
      const version = accepted(answer).model_version;
      const { tags, ...fields } = given(index);
      expect(version).toMatchObject({ name: names[index % 3], ...fields });
      expect(version.tags ?? []).toEqual(tags);
      expect(await getVersion(server, version.name, version.version)).toEqual(version);
    }
    for (const name of names) expect(await numbersOf(name)).toEqual(upTo(10));
  });

  test("fail one by one", async () => {
    const name = await newModel(server);
    const answers = await together(() => [
      createVersion(server, name, { description: "first" }),
      createVersion(server, "somebody else's"),
      createVersion(server, name, { tags: [{ key: "k", value: "a\u0000b" }] }),
      createVersion(server, name, { description: "a\u0000b" }),
      createVersion(server, name, { description: "last" }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 400, 400, 200]);
    expect(refusal(answers[1] as never)[2]).toBe("Registered Model with name=somebody else's not found");
    expect(await numbersOf(name)).toEqual([1, 2]);
    expect((await getModel(server, name)).latest_versions[0]).toMatchObject({ version: "2" });
  });

  test("are made once when the database goes away before it has them", async () => {
    const name = await newModel(server);
    const held = await holdTable(server, "registry.registered_models");
    const sent = createVersion(server, name);
    await held.waiters(1);
    const client = new pg.Client(server.connection);
    await client.connect();
    await client.query(
      `select pg_terminate_backend(pid) from pg_locks
       where relation = 'registry.registered_models'::regclass and not granted`,
    );
    await client.end();
    await held.release();
    expect(accepted(await sent).model_version.version).toBe("1");
    expect(await numbersOf(name)).toEqual([1]);
  });

  test("meet a rename and a deletion of their model", async () => {
    const name = await newModel(server);
    const versions = Promise.all(times(20, () => createVersion(second, name)));
    const renamed = `${name} renamed`;
    accepted(await server.post(`${MODELS}/rename`, { name, new_name: renamed }));
    const made = (await versions).filter(({ status }) => status === 200).length;
    for (const { status } of await versions) expect([200, 404]).toContain(status);
    expect(await numbersOf(renamed)).toEqual(upTo(made));
    const more = Promise.all(times(20, () => createVersion(second, renamed)));
    accepted(await server.call("DELETE", `${MODELS}/delete`, { name: renamed }));
    for (const { status } of await more) expect([200, 404]).toContain(status);
    expect(await numbersOf(renamed)).toEqual([]);
  });

  test("are all in the list of the logged model they were made from", async () => {
    const names = [await newModel(server), await newModel(server)];
    const models = await Promise.all(
      times(2, async () => {
        const answer = await server.post(`${API}/logged-models`, { experiment_id: "0", name: "lm" });
        return accepted(answer).model.info.model_id as string;
      }),
    );
    const made = await Promise.all(
      times(24, async (index) => {
        const id = models[index % 2] ?? "";
        const name = names[index % 3 === 0 ? 0 : 1] ?? "";
        const to = index % 4 === 0 ? second : server;
        const number = await newVersion(to, name, { source: `models:/${id}`, model_id: id });
        return { id, entry: { name, version: Number(number) } };
      }),
    );
    const sorted = (entries: { name: string; version: number }[]): string[] =>
      entries.map(({ name, version }) => `${name} ${version}`).toSorted();
    for (const id of models) {
      const { tags } = accepted(await server.get(`${API}/logged-models/${id}`)).model.info;
      expect(sorted(JSON.parse(tags[0].value))).toEqual(
        sorted(made.filter((one) => one.id === id).map(({ entry }) => entry)),
      );
    }
  });
});

describe("what cannot be read in a list", () => {
  test.each([
    [[{ key: "a", value: 5 }]],
    [[{ key: 5, value: "a" }]],
    [[{ key: "a", value: "1" }, null]],
    [[{ key: "a", value: "1" }, 7]],
  ])("is refused: %j as tags", async (tags) => {
    const name = await newModel(server);
    const message = expect.stringContaining(
      "for parameter 'tags' supplied:  Hint: Value was of type 'list'.",
    );
    const invalid = [400, "INVALID_PARAMETER_VALUE", message];
    expect(refusal(await createVersion(server, name, { tags, description: "d" }))).toEqual(invalid);
    expect(refusal(await server.post(`${MODELS}/create`, { tags, name: `${name} other` }))).toEqual(invalid);
    expect(await numbersOf(name)).toEqual([]);
  });

  test("is refused: numbers as stages", async () => {
    const name = await newModel(server);
    const answer = await server.post(`${MODELS}/get-latest-versions`, { name, stages: ["None", 1] });
    expect(refusal(answer)).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      expect.stringContaining("for parameter 'stages' supplied:  Hint: Value was of type 'list'."),
    ]);
  });
});
