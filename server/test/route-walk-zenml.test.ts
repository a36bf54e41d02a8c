import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Action } from "../src/kernel/access.ts";
import type { RouteEntry } from "../src/kernel/http.ts";
import { OWNER, startAccessWorld, type AccessWorld } from "./access-world.ts";
import type { Answer, TestServer } from "./harness.ts";
import { person } from "./principals.ts";
import { stored } from "./stored.ts";
import { withHeaders } from "./workspaces.ts";
import { MARK, makeZenmlWorld, type ZenmlIds } from "./zenml-world.ts";
import { idsOfPath, knownRequests, requestOf, sharedLists } from "./zenml-requests.ts";

/** ZenML's API about pipelines and stacks: each route is asked by people of every role. */
const world: AccessWorld = await startAccessWorld();
const { server, actors } = world;
const ids: ZenmlIds = await makeZenmlWorld(actors.root, OWNER);

afterAll(() => world[Symbol.asyncDispose]());

type Route = RouteEntry & { access: { kind: "needs"; action: Action; resource: string } };

const isOfZenml = (route: RouteEntry): route is Route =>
  route.protocol === "zenml" &&
  route.access.kind === "needs" &&
  (route.access.resource === "pipeline" || route.access.resource === "stack");

const keyOf = ({ method, url }: RouteEntry): string => `${method} ${url.replace("/api/v1", "")}`;
const routes = server.routes.filter((route) => isOfZenml(route) && route.method !== "HEAD") as Route[];
const named = routes.map((route): [string, Route] => [keyOf(route), route]);
const ofProjects = named.filter(([, { access }]) => access.resource === "pipeline");
const shared = named.filter(([, { access }]) => access.resource === "stack");
const reading = (list: readonly [string, Route][]): [string, Route][] =>
  list.filter(([, { method }]) => method === "GET");
const writing = (list: readonly [string, Route][]): [string, Route][] =>
  list.filter(([, { method }]) => method !== "GET");

async function ask(actor: TestServer, route: Route, of: ZenmlIds = ids): Promise<Answer> {
  const key = keyOf(route);
  const path = route.url.replaceAll(/:(\w+)/g, (_, name: string) => idsOfPath(key, name, of));
  const query =
    route.method === "GET" ? `?project=${of["project"] ?? ""}` : (requestOf(key)?.query?.(of) ?? "");
  return actor.call(route.method, path + query, requestOf(key)?.body?.(of));
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

const blind = ({ text }: Answer): string => text.replaceAll(UUID, "ID");

const unknown = (): ZenmlIds =>
  Object.fromEntries(Object.keys(ids).map((name) => [name, "01234567-89ab-4def-8123-456789abcdef"]));

test("every route that is asked with a body is in the table", () => {
  const missing = writing(named).filter(
    ([key, { method }]) => method !== "DELETE" && requestOf(key) === undefined,
  );
  expect(missing.map(([key]) => key)).toEqual([]);
  const known = new Set(named.map(([key]) => key));
  expect(knownRequests().filter((key) => !known.has(key))).toEqual([]);
});

describe("nobody", () => {
  test.each(named)("%s: is told to log in, whatever is there", async (key, route) => {
    const [there, not] = [await ask(server, route), await ask(server, route, unknown())];
    expect([key, there.status, there.text]).toEqual([key, 401, not.text]);
    expect(there.headers.get("www-authenticate")).toBe("Bearer");
  });
});

describe("a stranger, who administers another project", () => {
  let before: Record<string, string | null>;
  beforeAll(async () => {
    before = await stored(server);
  });
  afterAll(async () => {
    expect(await stored(server)).toEqual(before);
  });

  test.each(ofProjects)("%s: learns nothing, and changes nothing", async (key, route) => {
    const [there, not] = [await ask(actors.stranger, route), await ask(actors.stranger, route, unknown())];
    const refused = [400, 403, 404, 405, 501];
    const expected = requestOf(key)?.isFiltered === true ? [200] : refused;
    expect([key, there.status]).toEqual([
      key,
      expect.toSatisfy((status) => expected.includes(Number(status))),
    ]);
    expect([key, there.text]).toEqual([key, expect.not.stringContaining(MARK)]);
    expect([key, there.status, blind(there)]).toEqual([key, not.status, blind(not)]);
  });

  test.each(writing(shared).filter(([key]) => !requestOf(key)?.makes && !requestOf(key)?.asks))(
    "%s: does not change what others share",
    async (key, route) => {
      const answer = await ask(actors.stranger, route);
      expect([key, answer.status]).toEqual([key, 403]);
    },
  );
});

describe("whoever has no role anywhere", () => {
  let before: Record<string, string | null>;
  let outsider: TestServer;
  beforeAll(async () => {
    outsider = withHeaders(server, (await person(server, "outsider")).headers);
    before = await stored(server);
  });
  afterAll(async () => {
    expect(await stored(server)).toEqual(before);
  });

  test.each(named)("%s: learns nothing, and changes nothing", async (key, route) => {
    const [there, not] = [await ask(outsider, route), await ask(outsider, route, unknown())];
    const answers = route.method === "GET" ? [200, 400, 403, 404, 405, 501] : [400, 403, 404, 405, 422, 501];
    const isFiltered = requestOf(key)?.isFiltered === true;
    expect([key, there.status, there.text]).toEqual([
      key,
      expect.toSatisfy((status) => isFiltered || answers.includes(Number(status))),
      expect.not.stringContaining(MARK),
    ]);
    expect([key, there.status, blind(there)]).toEqual([key, not.status, blind(not)]);
  });

  test.each(sharedLists)("%s: lists what every server has", async (path) => {
    const { status, json } = await outsider.get(`/api/v1${path}?hydrate=true&size=1000`);
    expect([path, status]).toEqual([path, 200]);
    const items = json.items as { id: string }[];
    const everywhere = { "/stacks": 1, "/components": 3, "/flavors": 60 }[path] ?? 0;
    expect([path, items.length]).toEqual([
      path,
      expect.toSatisfy((count) => Number(count) >= everywhere - 1),
    ]);
    expect([path, items.length === 0]).toEqual([path, everywhere === 0]);
    const [first] = items;
    if (first === undefined) return;
    expect((await outsider.get(`/api/v1${path}/${first.id}`)).json.id).toBe(first.id);
  });
});

describe("a viewer", () => {
  let before: Record<string, string | null>;
  beforeAll(async () => {
    before = await stored(server);
  });
  afterAll(async () => {
    expect(await stored(server)).toEqual(before);
  });

  test.each(reading(named))("%s: reads", async (key, route) => {
    const answer = await ask(actors.viewer, route);
    expect([key, answer.status, answer.text]).toEqual([
      key,
      requestOf(key)?.forViewer ??
        expect.toSatisfy((status) => [200, 400, 422, 501].includes(Number(status))),
      expect.any(String),
    ]);
  });

  test.each(writing(named))("%s: changes nothing", async (key, route) => {
    if (requestOf(key)?.asks === true || requestOf(key)?.isRead === true) return;
    const answer = await ask(actors.viewer, route);
    expect([key, answer.status, answer.text]).toEqual([
      key,
      expect.toSatisfy((status) => [403, 405, 501].includes(Number(status))),
      expect.any(String),
    ]);
  });
});

describe("a key that reads, of an editor", () => {
  test.each(writing(named))("%s: changes nothing", async (key, route) => {
    if (requestOf(key)?.asks === true || requestOf(key)?.isRead === true) return;
    const answer = await ask(actors.limited, route);
    expect([key, answer.status]).toEqual([
      key,
      expect.toSatisfy((status) => [403, 405, 501].includes(Number(status))),
    ]);
  });
});

describe("lists of what all share", () => {
  test.each(sharedLists)("%s shows a viewer no secret values", async (path) => {
    const answer = await actors.viewer.get(`/api/v1${path}?hydrate=true`);
    expect([path, answer.status]).toEqual([path, 200]);
    expect(answer.text).not.toContain('"password":"p"');
  });
});

describe("an editor", () => {
  // Last: these change the world. What is deleted goes after all that is in it.
  const order = (key: string): number => (key.startsWith("DELETE") ? 2 : key.startsWith("POST") ? 1 : 0);
  const changes = writing(ofProjects).toSorted(([a], [b]) => order(a) - order(b));

  test.each(changes)("%s: is let in", async (key, route) => {
    const of = key.startsWith("DELETE") ? await makeZenmlWorld(actors.root, OWNER) : ids;
    const answer = await ask(actors.editor, route, of);
    expect([key, answer.status, answer.text]).toEqual([
      key,
      expect.not.toSatisfy((status) => [401, 404, 500].includes(Number(status))),
      expect.not.stringContaining("not allowed"),
    ]);
  });
});
