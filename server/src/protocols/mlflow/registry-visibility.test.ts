import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MODELS, newModel, newVersion, query, VERSIONS } from "../../../test/registry.ts";
import { accepted } from "../../../test/runs.ts";
import type { Json, TestServer } from "../../../test/harness.ts";
import { allows, toPrincipal, type GrantType, type Permission } from "../../modules/identity/index.ts";
import { startAccessServer, type AccessServer, type Caller } from "./tracking-access-fixture.ts";

let access: AccessServer;
const names: string[] = [];

beforeAll(async () => {
  access = await startAccessServer();
  const { admin, server } = access;
  const root: TestServer = { ...server, call: admin.call, get: admin.get, post: admin.post };
  for (let count = 0; count < 5; count += 1) {
    const name = await newModel(root);
    await newVersion(root, name);
    names.push(name);
  }
});
afterAll(() => access[Symbol.asyncDispose]());

const permission = fc.constantFrom<Permission>("READ", "EDIT", "MANAGE", "NO_PERMISSIONS", "DENY");

/** What of these five models a caller may be granted, by which type and which pattern. */
const grants = fc.uniqueArray(
  fc.oneof(
    fc.record({
      type: fc.constant<GrantType>("registered_model"),
      at: fc.constantFrom<number | "*">(0, 1, 2, 3, 4, "*"),
      permission,
    }),
    fc.record({
      type: fc.constantFrom<GrantType>("registered_model_version", "prompt", "experiment", "run"),
      at: fc.constant<number | "*">("*"),
      permission,
    }),
    fc.record({
      type: fc.constant<GrantType>("workspace"),
      at: fc.constant<number | "*">("*"),
      permission: fc.constantFrom<Permission>("READ", "USE", "EDIT"),
    }),
  ),
  { selector: ({ type, at }) => `${type} ${at}`, minLength: 1, maxLength: 6 },
);

const found = async (caller: Caller, path: string, max: number): Promise<string[]> => {
  const all: string[] = [];
  let token = "";
  do {
    const asked = { max_results: String(max), ...(token === "" ? {} : { page_token: token }) };
    const page: Json = accepted(await caller.get(`${path}/search?${query(asked)}`));
    const items: Json[] = page.registered_models ?? page.model_versions ?? [];
    token = page.next_page_token ?? "";
    // Every page but the last is full.
    if (token !== "") expect(items).toHaveLength(max);
    all.push(...items.map((one) => one.name));
  } while (token !== "");
  return all.toSorted();
};

describe("whatever is granted", () => {
  test("a search finds what may be read by its name, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(grants, fc.integer({ min: 1, max: 5 }), async (given, max) => {
        const list = given.map(({ type, at, permission: granted }) => ({
          resource_type: type,
          pattern: at === "*" ? "*" : (names[at] as string),
          permission: granted,
        }));
        fc.pre(list.some((one) => one.permission !== "DENY" && one.permission !== "NO_PERMISSIONS"));
        const caller = await access.caller(
          ...list.map((one) => [one.resource_type, one.pattern, one.permission] as const),
        );
        const { principals, enter } = access.server.app.identity;
        const principal = toPrincipal(await principals.getPrincipal({ principalId: caller.principalId }));
        const { policy } = await enter(
          { principal, credential: { kind: "api_key" }, address: "127.0.0.1" },
          "default",
        );
        const readable = names.filter((name) => allows(policy.on("registered_model", name), "read"));
        expect(await found(caller, MODELS, max)).toEqual(readable.toSorted());
        const ofVersions = names.filter((id) =>
          allows(policy.onPart("registered_model_version", { type: "registered_model", id }), "read"),
        );
        expect(await found(caller, VERSIONS, max)).toEqual(ofVersions.toSorted());
        for (const name of names) {
          const one = await caller.get(`${MODELS}/get?${query({ name })}`);
          expect([name, one.status]).toEqual([name, readable.includes(name) ? 200 : 403]);
          const version = await caller.get(`${VERSIONS}/get?${query({ name, version: "1" })}`);
          expect([name, version.status]).toEqual([name, ofVersions.includes(name) ? 200 : 403]);
        }
      }),
      { numRuns: 25 },
    );
  });
});
