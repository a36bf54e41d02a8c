import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Action } from "../src/kernel/access.ts";
import type { RouteEntry } from "../src/kernel/http.ts";
import {
  ask,
  nothing,
  SECRET,
  withoutIds,
  type Asked,
  type Ids,
} from "../src/protocols/mlflow/workspace-requests-fixture.ts";
import {
  aboutPeople,
  byId,
  byPath,
  lists,
  type Requests,
} from "../src/protocols/mlflow/workspace-routes-fixture.ts";
import { ELSEWHERE, notKept, OWNER, startAccessWorld, type AccessWorld } from "./access-world.ts";
import type { Answer } from "./harness.ts";
import { API, fresh } from "./runs.ts";
import { stored } from "./stored.ts";
import { inWorkspace } from "./workspaces.ts";
import { makeZenmlWorld } from "./zenml-world.ts";

/** MLflow's API and the console's about what is in workspaces: each route is asked by people of every role. */
const world: AccessWorld = await startAccessWorld();
const { server, actors } = world;

afterAll(() => world[Symbol.asyncDispose]());

const pipelineRun = (await makeZenmlWorld(actors.root, OWNER))["run"] ?? "";

const keyOf = ({ method, url }: { method: string; url: string }): string =>
  `${method === "HEAD" ? "GET" : method} ${url.replace(/^\/(?:ajax-)?api(?=\/\d)/, "")}`;

/** Beside the tables of the test of workspaces: what makes something, and the console's. */
const others: Requests = {
  [`POST /2.0/mlflow/experiments/create`]: () => ({ body: { name: fresh("made") } }),
  [`POST /2.0/mlflow/registered-models/create`]: () => ({ body: { name: fresh("made") } }),
  [`POST /2.0/mlflow/webhooks`]: () => ({
    body: {
      name: "hook",
      url: "http://127.0.0.1:1/x",
      events: [{ entity: "PROMPT", action: "CREATED" }],
    },
  }),
  [`GET /3.0/mlflow/workspaces/:workspace_name`]: (ids) => ({ path: [ids.workspace] }),
  "GET /console/api/lineage/model-version": (ids) => ({
    query: { workspace: ids.workspace, name: ids.registered, version: "1" },
  }),
  "GET /console/api/lineage/model-versions": (ids) => ({
    query: { workspace: ids.workspace, run_id: ids.run },
  }),
  "GET /console/api/lineage/pipeline-run": (ids) => ({
    query: { workspace: ids.workspace, run_id: pipelineRun },
  }),
  "GET /console/api/webhooks/:webhook_id/deliveries": (ids) => ({
    path: [ids.webhook],
    query: { workspace: ids.workspace },
  }),
  "POST /console/api/webhooks/:webhook_id/deliveries/repeat": (ids) => ({
    path: [ids.webhook],
    body: { workspace: ids.workspace },
  }),
};

const listed: Requests = Object.fromEntries(
  Object.entries(lists).map(([key, { asked }]) => [key, () => asked]),
);
const requests: Requests = { ...byId, ...byPath, ...listed, ...others };

/** Of what is above workspaces `admit` decides, before anything is read. */
const platform = new Set(["server", "principal", "audit"]);

type Route = RouteEntry & { access: { kind: "needs"; action: Action; resource: string } };

const needing = server.routes.filter((route): route is Route => route.access.kind === "needs");
const ofPlatform = needing.filter(({ access }) => platform.has(access.resource));
/** Users, roles and workspaces themselves have a walk of their own. */
const ofIdentity = (route: RouteEntry): boolean =>
  route.protocol === "zenml" ||
  aboutPeople.test(route.url) ||
  /^\/console\/api\/(?:roles|principals|workspaces)(?:\/|$)/.test(route.url);
const inWorkspaces = needing.filter((route) => !platform.has(route.access.resource) && !ofIdentity(route));
const kept = inWorkspaces.filter((route) => !notKept.has(keyOf(route)));
/** Of those that share their handler (`/ajax-api`, HEAD) the first. */
const first = (routes: readonly Route[]): [string, Route][] => [
  ...new Map(routes.map((route) => [keyOf(route), route]).toReversed() as [string, Route][]).entries(),
];

const asks = (route: Route): ((ids: Ids) => Asked) => requests[keyOf(route)] as (ids: Ids) => Asked;

/** These deal with what the server's own store has not got, and say so to those who may ask. */
const isDone = ({ status, json }: Answer): boolean =>
  status < 300 ||
  status === 501 ||
  (status === 400 && /^Presigned |part|upload/i.test(String(json?.message)));

const refusedTo = (what: string, { status, text }: Answer): void => {
  expect([what, status, text]).toEqual([what, 403, expect.stringContaining("Permission denied")]);
  expect([what, text]).toEqual([what, expect.not.stringContaining(SECRET)]);
};

/** For what is not kept: whatever one of these requests must have. */
const anything = ({ experiment, run }: Ids): Asked => ({
  body: {
    ...Object.fromEntries(
      (
        "name description type input queue_type user serialized_scorer trace trace_id filter_string1 filter_string2 " +
        "secret_name secret_value provider model_definition_id endpoint_id resource_type resource_id guardrail_id " +
        "budget_unit duration_unit target_scope budget_action stage action scorer_id"
      )
        .split(" ")
        .map((field) => [field, "x"]),
    ),
    experiment_id: experiment,
    experiment_ids: [experiment],
    run_id: run,
    trace_ids: ["tr-1"],
    request_ids: ["tr-1"],
    serialized_scorers: ["x"],
    model_configs: [{}],
    view_type: "TRACES",
    metric_name: "x",
    aggregations: [{ aggregation_type: "COUNT" }],
  },
});

test("every route about what is in workspaces is in a table", () => {
  expect(kept.map(keyOf).filter((key) => requests[key] === undefined)).toEqual([]);
  const known = new Set(needing.map(keyOf));
  expect(Object.keys(requests).filter((key) => !known.has(key))).toEqual([]);
});

describe("nobody", () => {
  // ZenML's own are asked by a walk of their own.
  const closed = server.routes.filter(
    (route) =>
      route.access.kind !== "public" && (route.protocol !== "zenml" || route.access.kind === "login"),
  );

  test("is told to log in by every route, in the same words whatever is there", async () => {
    const before = await stored(server);
    for (const route of closed) {
      const request = requests[keyOf(route)];
      const answers: Answer[] = [];
      for (const ids of [world.ids, nothing]) {
        answers.push(await ask(server, route, request?.(ids) ?? {}));
        answers.push(await ask(inWorkspace(server, ids.workspace), route, request?.(ids) ?? {}));
      }
      const what = `${route.method} ${route.url}`;
      const [one] = answers as [Answer];
      // Browsers are led to the page where people log in.
      const isPage = /^\/(?:plinth|devices|signup)(?:\/|$)/.test(route.url);
      expect([what, one.status, isPage || one.headers.get("www-authenticate")]).toEqual([
        what,
        isPage ? expect.toSatisfy((status) => [200, 303, 401, 403].includes(Number(status))) : 401,
        isPage || expect.stringMatching(/^(?:Basic realm=|Bearer\b)/),
      ]);
      for (const answer of answers)
        expect([what, answer.status, answer.text]).toEqual([what, one.status, one.text]);
      expect([what, one.text]).toEqual([what, expect.not.stringContaining(SECRET)]);
    }
    expect(await stored(server)).toEqual(before);
  });

  test("gets no further with credentials that are wrong", async () => {
    const wrong: Record<string, string>[] = [
      { authorization: `Basic ${Buffer.from("viewer:wrong password").toString("base64")}` },
      { authorization: `Basic ${Buffer.from("nobody:wrong password").toString("base64")}` },
      { authorization: "Bearer plinth_0123456789abcdef0123456789abcdef_" + "0".repeat(64) },
      { authorization: "Bearer x" },
      { authorization: "Basic x" },
      { authorization: "" },
      { cookie: "plinth_session=x" },
    ];
    for (const headers of wrong) {
      for (const path of [`${API}/experiments/search?max_results=1`, "/metrics", "/console/api/me"]) {
        const answer = await server.call("GET", path, undefined, headers);
        expect([headers, path, answer.status]).toEqual([headers, path, 401]);
      }
    }
  });
});

describe("a stranger, who administers another workspace", () => {
  let before: Record<string, string | null>;
  beforeAll(async () => {
    before = await stored(server);
  });
  afterAll(async () => {
    expect(await stored(server)).toEqual(before);
  });

  test.each(first(kept))("%s: by no way to what is in this one", async (name, route) => {
    const request = asks(route);
    // Naming this workspace, one that is not there, none, and the stranger's own.
    for (const workspace of [OWNER, "nowhere"]) {
      const caller = inWorkspace(actors.stranger, workspace);
      for (const ids of [world.ids, nothing]) {
        refusedTo(name, await ask(caller, route, request({ ...ids, workspace })));
      }
    }
    refusedTo(name, await ask(actors.stranger, route, request(world.ids)));
    if (others[name] !== undefined || listed[name] !== undefined) return;
    const own = inWorkspace(actors.stranger, ELSEWHERE);
    const answer = await ask(own, route, request(world.ids));
    expect(answer.text).not.toContain(SECRET);
    if (byPath[name] === undefined) {
      const unknown = await ask(own, route, request(nothing));
      expect(withoutIds(answer, world.ids)).toBe(withoutIds(unknown, nothing));
    } else expect(answer.status).toBe(400);
  });

  test("sees nothing of it in any list of the own one", async () => {
    for (const [key, { asked, shows }] of Object.entries(lists)) {
      const route = kept.find((one) => keyOf(one) === key) as Route;
      const answer = await ask(inWorkspace(actors.stranger, ELSEWHERE), route, asked);
      expect([key, answer.status, answer.text.includes(shows(world.ids))]).toEqual([key, 200, false]);
      expect(answer.text).not.toContain(SECRET);
    }
  });
});

const changing: ReadonlySet<Action> = new Set<Action>(["use", "edit", "manage"]);

/** What each of them may do in the workspace, by the access that a route declares. */
const rights: [keyof typeof actors, readonly Action[]][] = [
  ["viewer", ["read"]],
  ["limited", ["read"]],
  ["editor", ["read", "use", "edit"]],
  ["admin", ["read", "use", "edit", "manage"]],
];

describe.each(rights)("whose role is %s", (name, may) => {
  const allowed = kept.filter(({ access }) => may.includes(access.action));
  const forbidden = kept.filter(({ access }) => !may.includes(access.action));

  test("may do what the role allows", async () => {
    for (const [key, route] of first(allowed)) {
      // What changes something is done to things of its own, and who edits manages what it makes.
      const ids = changing.has(route.access.action) ? await world.another() : world.ids;
      const answer = await ask(actors[name], route, asks(route)(ids));
      expect([key, isDone(answer), answer.text]).toEqual([key, true, expect.any(String)]);
    }
  });

  test("is refused the rest, and changes nothing", async () => {
    const before = await stored(server);
    for (const [key, route] of first(forbidden)) {
      // Of what is not there no more is told than of what is. Paths name the workspace, so those of none are not asked for.
      for (const ids of byPath[key] === undefined ? [world.ids, nothing] : [world.ids]) {
        refusedTo(key, await ask(actors[name], route, asks(route)({ ...ids, workspace: OWNER })));
      }
    }
    expect(await stored(server)).toEqual(before);
  });

  test("meets the same answers where nothing is kept", async () => {
    const before = await stored(server);
    for (const route of inWorkspaces.filter((one) => notKept.has(keyOf(one)))) {
      const isRead = route.method === "GET" || route.method === "HEAD";
      const answer = await ask(actors[name], route, isRead ? {} : anything(world.ids));
      const what = `${route.method} ${route.url}`;
      if (may.includes(route.access.action)) {
        expect([what, [401, 403].includes(answer.status)]).toEqual([what, false]);
      } else expect([what, answer.status]).toEqual([what, 403]);
    }
    expect(await stored(server)).toEqual(before);
  });

  test("has no part in what is above workspaces", async () => {
    const before = await stored(server);
    for (const route of ofPlatform) {
      const answer = await ask(actors[name], route, /GET|HEAD/.test(route.method) ? {} : { body: {} });
      expect([route.url, answer.status]).toEqual([route.url, 403]);
    }
    expect(await stored(server)).toEqual(before);
  });
});
