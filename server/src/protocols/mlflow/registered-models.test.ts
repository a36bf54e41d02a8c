import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { accepted, fresh, invalid, refusal } from "../../../test/runs.ts";
import { getModel, MODELS, newModel, newVersion, query, VERSIONS } from "../../../test/registry.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const missing = (name: string): unknown[] => [
  404,
  "RESOURCE_DOES_NOT_EXIST",
  `Registered Model with name=${name} not found`,
];

describe("registered models", () => {
  test("are created with their tags, the last of a key", async () => {
    const name = fresh("model");
    const tags = [
      { key: "a", value: "1" },
      { key: "a", value: "2" },
    ];
    const answer = await server.post(`${MODELS}/create`, { name, tags, description: "d" });
    const time = expect.any(Number);
    const expected = {
      name,
      creation_timestamp: time,
      last_updated_timestamp: time,
      description: "d",
      tags: [{ key: "a", value: "2" }],
    };
    expect(accepted(answer)).toEqual({ registered_model: expected });
    expect(await getModel(server, name)).toEqual(expected);
  });

  test("take a name once, also when many ask at a time", async () => {
    const name = fresh("model");
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => server.post(`${MODELS}/create`, { name })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const taken = [400, "RESOURCE_ALREADY_EXISTS", `Registered Model (name=${name}) already exists.`];
    expect(refusal(await server.post(`${MODELS}/create`, { name }))).toEqual(taken);
  });

  test.each([
    [
      "",
      "Missing value for required parameter 'name'. See the API docs for more information about request parameters.",
    ],
    [" ", "Missing value for required parameter 'name'."],
    ["a/b", "Invalid model name 'a/b'. Names cannot contain '/' or ':'."],
    ["a:b", "Invalid model name 'a:b'. Names cannot contain '/' or ':'."],
    ["..", expect.stringContaining("must not resolve to other names")],
    ["m".repeat(257), "'name' exceeds the maximum length of 256 characters"],
  ])("cannot be called %j", async (name, message) => {
    expect(refusal(await server.post(`${MODELS}/create`, { name }))).toEqual(invalid(message));
  });

  test("whose names look alike are different ones", async () => {
    const base = fresh("like");
    const names = [`${base} b`, `${base}%20b`, `${base}+b`, `${base}\u00e9`, `${base}e\u0301`];
    for (const name of names) await newModel(server, { name });
    const found = await Promise.all(names.map(async (name) => (await getModel(server, name)).name));
    expect(found).toEqual(names);
  });

  test("that are not there are not found", async () => {
    const name = fresh("nobody");
    expect(refusal(await server.get(`${MODELS}/get?${query({ name })}`))).toEqual(missing(name));
    for (const [method, path, body] of [
      ["POST", "rename", { name, new_name: "x" }],
      ["PATCH", "update", { name, description: "x" }],
      ["DELETE", "delete", { name }],
      ["POST", "set-tag", { name, key: "k", value: "v" }],
      ["DELETE", "delete-tag", { name, key: "k" }],
      ["DELETE", "alias", { name, alias: "a" }],
      ["POST", "get-latest-versions", { name }],
    ] as const) {
      expect(refusal(await server.call(method, `${MODELS}/${path}`, body))).toEqual(missing(name));
    }
  });

  test("are renamed with their versions, tags and aliases", async () => {
    const name = await newModel(server, { tags: [{ key: "k", value: "v" }] });
    const version = await newVersion(server, name);
    await server.post(`${MODELS}/alias`, { name, alias: "champion", version });
    const newName = fresh("renamed");
    const renamed = accepted(await server.post(`${MODELS}/rename`, { name, new_name: newName }));
    expect(renamed.registered_model).toMatchObject({
      name: newName,
      tags: [{ key: "k", value: "v" }],
      aliases: [{ alias: "champion", version: "1" }],
      latest_versions: [{ name: newName, version: "1" }],
    });
    expect(refusal(await server.get(`${MODELS}/get?${query({ name })}`))).toEqual(missing(name));
  });

  test("are not renamed to a name that is taken or wrong", async () => {
    const [name, other] = [await newModel(server), await newModel(server)];
    const rename = (newName: string) => server.post(`${MODELS}/rename`, { name, new_name: newName });
    const taken = `Registered Model (name=${other}) already exists.`;
    expect(refusal(await rename(other))).toEqual([400, "RESOURCE_ALREADY_EXISTS", taken]);
    expect(refusal(await rename(" "))).toEqual(invalid("Missing value for required parameter 'new_name'."));
    expect(refusal(await rename("a/b"))).toEqual(
      invalid("Invalid model name 'a/b'. Names cannot contain '/' or ':'."),
    );
    expect(accepted(await rename(name)).registered_model.name).toBe(name);
  });

  test("get a description, and lose it", async () => {
    const name = await newModel(server);
    const update = (body: object) => server.call("PATCH", `${MODELS}/update`, { name, ...body });
    expect(accepted(await update({ description: "d" })).registered_model.description).toBe("d");
    expect(accepted(await update({})).registered_model).not.toHaveProperty("description");
  });

  test("are deleted with all that is theirs; the name is free then, and numbers begin again", async () => {
    const name = await newModel(server, { tags: [{ key: "k", value: "v" }] });
    const version = await newVersion(server, name, { tags: [{ key: "k", value: "v" }] });
    await server.post(`${MODELS}/alias`, { name, alias: "a", version });
    accepted(await server.call("DELETE", `${MODELS}/delete`, { name }));
    const gone = await server.get(`${VERSIONS}/get?${query({ name, version })}`);
    expect(refusal(gone)).toEqual([
      404,
      "RESOURCE_DOES_NOT_EXIST",
      `Model Version (name=${name}, version=1) not found`,
    ]);
    expect(await getModel(server, await newModel(server, { name }))).not.toHaveProperty("aliases");
    expect(await newVersion(server, name)).toBe("1");
  });

  test("have tags that are set, replaced and deleted; deleting one twice is no error", async () => {
    const name = await newModel(server);
    const set = (key: string, value?: string) => server.post(`${MODELS}/set-tag`, { name, key, value });
    accepted(await set("k", "1"));
    accepted(await set("k", "2"));
    accepted(await set("empty"));
    const tags = async () => (await getModel(server, name)).tags;
    expect(await tags()).toEqual([
      { key: "empty", value: "" },
      { key: "k", value: "2" },
    ]);
    for (let time = 0; time < 2; time += 1) {
      accepted(await server.call("DELETE", `${MODELS}/delete-tag`, { name, key: "k" }));
    }
    expect(await tags()).toEqual([{ key: "empty", value: "" }]);
  });

  test("refuse tags that are too long or badly named", async () => {
    const name = await newModel(server);
    const set = (key: string, value: string) => server.post(`${MODELS}/set-tag`, { name, key, value });
    accepted(await set("k".repeat(250), "v".repeat(100_000)));
    expect(refusal(await set("k".repeat(251), ""))).toEqual(
      invalid("'key' exceeds the maximum length of 250 characters"),
    );
    expect(refusal(await set("k", "v".repeat(100_001)))).toEqual(
      invalid("'value' exceeds the maximum length of 100000 characters"),
    );
    expect(refusal(await set("a;b", ""))).toEqual(invalid(expect.stringContaining("Names may only contain")));
  });

  test("cannot be prompts yet, in any way of saying it", async () => {
    const tag = { key: "mlflow.prompt.is_prompt", value: "True" };
    const name = await newModel(server);
    const refused = [501, "NOT_IMPLEMENTED", expect.stringContaining("Prompts are not served yet")];
    expect(refusal(await server.post(`${MODELS}/create`, { name: fresh("p"), tags: [tag] }))).toEqual(
      refused,
    );
    expect(refusal(await server.post(`${MODELS}/set-tag`, { name, ...tag }))).toEqual(refused);
    const version = { name, source: "/etc", tags: [tag] };
    expect(refusal(await server.post(`${VERSIONS}/create`, version))).toEqual(refused);
    accepted(await server.post(`${MODELS}/set-tag`, { name, key: tag.key, value: "false" }));
  });
});

describe("aliases", () => {
  const byAlias = (name: string, alias: string) => server.get(`${MODELS}/alias?${query({ name, alias })}`);

  test("point at one version, and move", async () => {
    const name = await newModel(server);
    await newVersion(server, name);
    await newVersion(server, name);
    for (const version of ["1", "2"]) {
      accepted(await server.post(`${MODELS}/alias`, { name, alias: "champion", version }));
      accepted(await server.post(`${MODELS}/alias`, { name, alias: `also-${version}`, version }));
      expect(accepted(await byAlias(name, "champion")).model_version).toMatchObject({
        version,
        aliases: [`also-${version}`, "champion"],
      });
    }
    expect((await getModel(server, name)).aliases).toEqual([
      { alias: "also-1", version: "1" },
      { alias: "also-2", version: "2" },
      { alias: "champion", version: "2" },
    ]);
    for (let time = 0; time < 2; time += 1) {
      accepted(await server.call("DELETE", `${MODELS}/alias`, { name, alias: "champion" }));
    }
    expect(refusal(await byAlias(name, "champion"))).toEqual(
      invalid("Registered model alias champion not found."),
    );
  });

  test("go with the version they point at", async () => {
    const name = await newModel(server);
    const version = await newVersion(server, name);
    await server.post(`${MODELS}/alias`, { name, alias: "a", version });
    accepted(await server.call("DELETE", `${VERSIONS}/delete`, { name, version }));
    expect(refusal(await byAlias(name, "a"))).toEqual(invalid("Registered model alias a not found."));
    expect(await getModel(server, name)).not.toHaveProperty("aliases");
  });

  test.each([
    ["latest", "'latest' alias name (case insensitive) is reserved."],
    ["LATEST", "'latest' alias name (case insensitive) is reserved."],
    ["v1", "Version alias name 'v1' is reserved."],
    ["V12", "Version alias name 'V12' is reserved."],
    ["a b", expect.stringContaining("Invalid alias name: 'a b'.")],
    ["a/b", expect.stringContaining("Invalid alias name: 'a/b'.")],
    ["a".repeat(256), "'Registered model alias name' exceeds the maximum length of 255 characters"],
  ])("cannot be %j", async (alias, message) => {
    const name = await newModel(server);
    const version = await newVersion(server, name);
    expect(refusal(await server.post(`${MODELS}/alias`, { name, alias, version }))).toEqual(invalid(message));
  });

  test("need a version that is there", async () => {
    const name = await newModel(server);
    const set = (version: string) => server.post(`${MODELS}/alias`, { name, alias: "a", version });
    const none = (version: string) => [
      404,
      "RESOURCE_DOES_NOT_EXIST",
      `Model Version (name=${name}, version=${version}) not found`,
    ];
    expect(refusal(await set("1"))).toEqual(none("1"));
    expect(refusal(await set("99999999999"))).toEqual(none("99999999999"));
    expect(refusal(await set("x"))).toEqual(invalid("Parameter 'version' must be an integer, got 'x'."));
  });

  test("latest is the highest version in any stage", async () => {
    const name = await newModel(server);
    const nothing = [404, "RESOURCE_DOES_NOT_EXIST", `Latest version not found for model ${name}.`];
    expect(refusal(await byAlias(name, "latest"))).toEqual(nothing);
    for (let count = 0; count < 3; count += 1) await newVersion(server, name);
    const staged = { name, version: "2", stage: "Production" };
    accepted(await server.post(`${VERSIONS}/transition-stage`, staged));
    expect(accepted(await byAlias(name, "Latest")).model_version.version).toBe("3");
  });
});
