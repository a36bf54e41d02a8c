import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Answer, Json } from "../../../test/harness.ts";
import { accepted } from "../../../test/runs.ts";
import { withHeaders } from "../../../test/workspaces.ts";
import { startAccessServer, type AccessServer } from "./tracking-access-fixture.ts";

let access: AccessServer;

beforeAll(async () => {
  access = await startAccessServer();
});
afterAll(() => access[Symbol.asyncDispose]());

const refused = ({ status, text }: Answer): void =>
  expect([status, text]).toEqual([403, expect.stringContaining("Permission denied")]);

describe("workspaces", () => {
  const PATH = "/api/3.0/mlflow/workspaces";

  test("are listed to those who have a part in them, whatever it is, and to nobody else", async () => {
    const { roles } = access.server.app.identity;
    for (const name of ["one", "two", "three"])
      expect((await access.admin.post(PATH, { name: `listed-${name}` })).status).toBe(201);
    const place = async (name: string): Promise<number> =>
      (await roles.findRole(name, "viewer"))?.workspace_id as number;
    const caller = await access.caller();
    const listed = async (): Promise<string[]> =>
      accepted(await caller.get(PATH)).workspaces.map((one: Json) => one.name);
    expect(await listed()).toEqual([]);
    const ref = { principalId: caller.principalId };
    const grant = { resource_type: "experiment", pattern: "7", permission: "READ", replace: true } as const;
    await roles.grantDirectly(ref, await place("listed-one"), grant);
    await roles.grantDirectly(ref, await place("listed-two"), { ...grant, permission: "DENY" });
    expect(await listed()).toEqual(["listed-one"]);
    await roles.grantDirectly(ref, await place("listed-three"), {
      ...grant,
      resource_type: "workspace",
      pattern: "*",
    });
    expect(await listed()).toEqual(["listed-one", "listed-three"]);
    await roles.grantDirectly(ref, await place("listed-one"), {
      ...grant,
      resource_type: "workspace",
      pattern: "*",
      permission: "DENY",
    });
    expect(await listed()).toEqual(["listed-three"]);
    // What is listed is what may be entered.
    for (const [name, status] of [
      ["listed-one", 403],
      ["listed-two", 403],
      ["listed-three", 200],
      ["listed-four", 403],
    ] as const) {
      expect([name, (await caller.get(`${PATH}/${name}`)).status]).toEqual([name, status]);
    }
    for (const answer of [
      await caller.post(PATH, { name: "mine" }),
      await caller.call("PATCH", `${PATH}/listed-three`, { description: "x" }),
      await caller.call("DELETE", `${PATH}/listed-three`),
    ]) {
      refused(answer);
    }
    const header = withHeaders(access.server, { "x-mlflow-workspace": "listed-one" });
    expect((await header.get(PATH)).status).toBe(401);
  });
});
