import { afterAll, describe, expect, it } from "vitest";
import { startTestServer } from "../../../test/harness.ts";
import { person } from "../../../test/principals.ts";
import { withHeaders } from "../../../test/workspaces.ts";

const server = await startTestServer({ login: "required" });
const admin = withHeaders(server, (await person(server, "root", { isAdmin: true })).headers);
const API = "/api/v1";

afterAll(() => server[Symbol.asyncDispose]());

const { id: project } = (await admin.get(`${API}/projects/default`)).json;
const make = async (path: string, body: object): Promise<string> => {
  const { status, json } = await admin.call("POST", API + path, { project, ...body });
  expect(status).toBe(200);
  return json.id as string;
};
const found = async (query: string): Promise<string[]> => {
  const { json } = await admin.get(
    `${API}/pipeline_snapshots?project=${project}&sort_by=asc:created&${query}`,
  );
  const items = json.items as { id: string }[];
  expect(json.total).toBe(items.length);
  return items.map(({ id }) => id);
};

const plain = await make("/pipelines", { name: "plain" });
/** Called as the other one is known by its id. */
const disguised = await make("/pipelines", { name: plain });
const alone = await make("/pipelines", { name: "0b8f4d9e-5b4f-4a55-8a53-6f8e2b9d3c11" });
const stack = (await admin.get(`${API}/stacks?name=default`)).json.items[0].id as string;
const plan = (pipeline: string): Promise<string> =>
  make("/pipeline_snapshots", {
    pipeline,
    stack,
    run_name_template: "run",
    pipeline_configuration: { name: "p" },
    step_configurations: {},
    client_environment: {},
    client_version: "0.98.0",
    server_version: "0.98.0",
  });
const ofPlain = await plan(plain);
const ofDisguised = await plan(disguised);
const ofAlone = await plan(alone);

describe("references in lists", () => {
  it("are ids or names, also names that look like ids", async () => {
    expect(await found("pipeline=plain")).toEqual([ofPlain]);
    expect(await found(`pipeline=${plain}`)).toEqual([ofPlain, ofDisguised]);
    expect(await found(`pipeline=${disguised}`)).toEqual([ofDisguised]);
    expect(await found("pipeline=0b8f4d9e-5b4f-4a55-8a53-6f8e2b9d3c11")).toEqual([ofAlone]);
    // Names are compared to the letter, ids as ids.
    expect(await found("pipeline=0B8F4D9E-5b4f-4a55-8a53-6f8e2b9d3c11")).toEqual([]);
    expect(await found(`pipeline=${disguised.toUpperCase()}`)).toEqual([ofDisguised]);
    expect(await found("pipeline=6b8f4d9e-5b4f-4a55-8a53-6f8e2b9d3c11")).toEqual([]);
  });

  it("may be asked for together", async () => {
    const both = `pipeline=${plain}&pipeline=${alone}`;
    expect(await found(`${both}&logical_operator=or`)).toEqual([ofPlain, ofDisguised, ofAlone]);
    expect(await found(both)).toEqual([]);
  });

  it("and ids are neither equal nor unequal where there are none", async () => {
    expect(await found(`pipeline_id=notequals:${plain}`)).toEqual([ofDisguised, ofAlone]);
    expect(await found(`schedule_id=notequals:${plain}`)).toEqual([]);
    expect(await found("schedule_id=isnull:")).toEqual([ofPlain, ofDisguised, ofAlone]);
  });
});
