import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { person, type Person } from "../../../test/principals.ts";

let server: TestServer;
let admin: Person;
let user: Person;

beforeAll(async () => {
  server = await startTestServer({ login: "required" });
  admin = await person(server, "root", { isAdmin: true });
  user = await person(server, "ada");
});
afterAll(() => server[Symbol.asyncDispose]());

describe("a list", () => {
  const names = (answer: Answer): string[] => answer.json.items.map(({ name }: { name: string }) => name);
  const list = (query: string): Promise<Answer> =>
    server.call("GET", `/api/v1/users?${query}`, undefined, admin.headers);

  beforeAll(async () => {
    for (const name of ["list-a", "list-b", "list-c", "other%_"]) {
      await server.app.identity.principals.createPrincipal({
        kind: "user",
        name,
        full_name: name.toUpperCase(),
      });
    }
  });

  test("is filtered and ordered as it is asked for", async () => {
    const cases: [string, string[]][] = [
      ["name=list-b", ["list-b"]],
      ["name=equals:list-b", ["list-b"]],
      ["name=contains:list-&sort_by=desc:name", ["list-c", "list-b", "list-a"]],
      ["name=startswith:list-&sort_by=asc:name&size=2", ["list-a", "list-b"]],
      ["name=startswith:list-&sort_by=name&size=2&page=2", ["list-c"]],
      ["name=endswith:-c", ["list-c"]],
      ["name=contains:%25_", ["other%_"]],
      ['name=oneof:["list-a","list-c"]&sort_by=created', ["list-a", "list-c"]],
      ["name=equals:list-a&full_name=equals:nobody", []],
      ["logical_operator=or&name=equals:list-a&full_name=equals:LIST-B&sort_by=name", ["list-a", "list-b"]],
      ["name=LIST-A", []],
      ["name=like:list-a", []],
      ["unknown=x&name=list-a", ["list-a"]],
      ["name=startswith:list-&active=true", ["list-a", "list-b", "list-c"]],
      ["name=startswith:list-&active=false", []],
      ["name=startswith:list-&created=gte:2000-01-01 00:00:00&sort_by=name&size=1", ["list-a"]],
      ["name=startswith:list-&created=lt:2000-01-01 00:00:00", []],
      [`id=${randomUUID()}`, []],
      ["id=no-id", []],
      [`id=startswith:${user.row.uuid.slice(0, 13)}`, ["ada"]],
      [`id=${user.row.uuid}`, ["ada"]],
    ];
    for (const [query, expected] of cases) {
      const answer = await list(query);
      expect([query, answer.status, answer.json.items && names(answer)]).toEqual([query, 200, expected]);
    }
  });

  test("has pages by number", async () => {
    const first = await list("name=startswith:list-&size=2");
    expect(first.json).toMatchObject({ index: 1, max_size: 2, total_pages: 2, total: 3 });
    expect(first.json.items[0].metadata).toBeNull();
    const none = await list("name=nobody");
    expect(none.json).toEqual({ index: 1, max_size: 20, total_pages: 1, total: 0, items: [] });
    const beyond = await list("name=startswith:list-&size=2&page=3");
    expect([beyond.status, beyond.json.detail[0]]).toEqual([400, "ValueError"]);
  });

  test("says what is wrong in the form of each kind of mistake", async () => {
    for (const query of ["page=0", "page=x", "size=0", "size=10001", "size=-1", "hydrate=perhaps"]) {
      const answer = await list(query);
      expect([query, answer.status, answer.json[0]]).toEqual([query, 422, "ValueError"]);
    }
    for (const query of [
      "sort_by=nope",
      "sort_by=desc:password_hash",
      "name=oneof:x",
      "created=gte:2026-01-01T00:00:00",
    ]) {
      const answer = await list(query);
      expect([query, answer.status, answer.json.detail[0]]).toEqual([query, 422, "ValueError"]);
    }
    expect((await list("name=gte:x")).status).toBe(400);
    const body = await server.call("POST", "/api/v1/users", { full_name: 7 }, admin.headers);
    expect([body.status, body.json[0]]).toEqual([422, "ValueError"]);
    expect(body.json[1]).toMatch(/^3 validation errors:\n/);
    expect(body.json[1]).toContain("{'type': 'missing', 'loc': ('body', 'name'), 'msg': 'Field required'");
    expect(body.json[1]).toContain("{'type': 'value_error', 'loc': ('body', 'full_name'), 'msg': ");
    const text = await server.call("POST", "/api/v1/users", "name=x", {
      ...admin.headers,
      "content-type": "text/plain",
    });
    expect(text.status).toBe(422);
  });
});
