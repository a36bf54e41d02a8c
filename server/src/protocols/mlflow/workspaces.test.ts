import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { accepted, API, invalid, refusal } from "../../../test/runs.ts";
import { inWorkspace, newWorkspace, WORKSPACES } from "../../../test/workspaces.ts";

let server: TestServer;
let beside: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  beside = await startTestServer({}, server);
});
afterAll(async () => {
  await beside[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const notFound = (name: string): unknown[] => [
  404,
  "RESOURCE_DOES_NOT_EXIST",
  `Workspace '${name}' not found`,
];

const remove = (name: string, mode?: string): Promise<Answer> =>
  server.call("DELETE", `${WORKSPACES}/${name}${mode === undefined ? "" : `?mode=${mode}`}`);

describe("a workspace", () => {
  test("is created, read, changed and deleted", async () => {
    const given = {
      name: "team-a",
      description: "Team A",
      default_artifact_root: "s3://bucket/a",
      trace_archival_config: { location: "s3://bucket/traces", retention: "30d" },
    };
    const created = await server.post(WORKSPACES, given);
    expect([created.status, created.json]).toEqual([201, { workspace: given }]);
    expect((await server.get(`${WORKSPACES}/team-a`)).json).toEqual({ workspace: given });
    const changed = await server.call("PATCH", `${WORKSPACES}/team-a`, {
      description: "",
      default_artifact_root: "",
      trace_archival_config: { location: "", retention: "12h" },
    });
    const now = { name: "team-a", description: "", trace_archival_config: { retention: "12h" } };
    expect([changed.status, changed.json]).toEqual([200, { workspace: now }]);
    const kept = await server.call("PATCH", `${WORKSPACES}/team-a`, { description: "A" });
    expect(kept.json).toEqual({ workspace: { ...now, description: "A" } });
    const gone = await remove("team-a");
    expect([gone.status, gone.text]).toEqual([204, ""]);
    expect(refusal(await server.get(`${WORKSPACES}/team-a`))).toEqual(notFound("team-a"));
  });

  test("stands in the list by its name, beside the default one", async () => {
    await newWorkspace(server, "list-b");
    await newWorkspace(server, "list-a");
    const { workspaces } = accepted(await server.get(WORKSPACES));
    const names = workspaces.map((one: { name: string }) => one.name);
    expect(names.filter((name: string) => /^(list-|default)/.test(name))).toEqual([
      "default",
      "list-a",
      "list-b",
    ]);
    expect(workspaces.find((one: { name: string }) => one.name === "default")).toEqual({
      name: "default",
      description: "Default workspace",
    });
  });

  test("of 20 that are created at once under one name exactly one is", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? server : beside).post(WORKSPACES, { name: "once" }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201).length).toBe(1);
    const others = answers.filter(({ status }) => status !== 201);
    expect(new Set(others.map((one) => JSON.stringify(refusal(one))))).toEqual(
      new Set([JSON.stringify([400, "RESOURCE_ALREADY_EXISTS", "Workspace 'once' already exists."])]),
    );
  });

  test.each([
    ["default", "reserved and cannot be created"],
    ["workspaces", "is reserved and cannot be used"],
    ["api", "is reserved and cannot be used"],
    ["a", "must be between 2 and 63 characters"],
    ["x".repeat(64), "must be between 2 and 63 characters"],
    ["Team", "must match the pattern"],
    ["team_a", "must match the pattern"],
    ["-team", "must match the pattern"],
    ["team-", "must match the pattern"],
    ["te/am", "must match the pattern"],
    ["..", "must match the pattern"],
    ["tea\u0000m", "must match the pattern"],
    ["team\n", "must match the pattern"],
  ])("is not called %j", async (name, message) => {
    expect(refusal(await server.post(WORKSPACES, { name }))).toEqual(
      invalid(expect.stringContaining(message)),
    );
  });

  test.each([
    [{ default_artifact_root: "/tmp/x" }, "must be a URI"],
    [{ default_artifact_root: "file:///tmp/x" }, "must be a URI"],
    [{ default_artifact_root: "http://host/x" }, "cannot use the 'http' scheme"],
    [{ default_artifact_root: "s3://bucket/../x" }, "Invalid path"],
    [{ default_artifact_root: "s3://bucket/x#y" }, "can't include fragments"],
    [{ default_artifact_root: "runs:/x" }, "cannot be a runs:/ URI"],
    [{ default_artifact_root: "mlflow-artifacts:/workspaces/other" }, "must not be below"],
    [{ default_artifact_root: "MLFLOW-ARTIFACTS:/%77orkspaces/other" }, "must not be below"],
    [{ default_artifact_root: `s3://bucket/${"x".repeat(2048)}` }, "path length"],
    [{ default_artifact_root: 5 }, "Invalid value 5 for parameter 'default_artifact_root'"],
    [{ trace_archival_config: "x" }, "Invalid value \"x\" for parameter 'trace_archival_config'"],
    [{ trace_archival_config: { retention: 5 } }, "Invalid value 5 for parameter 'retention'"],
    [{ description: 5 }, "Invalid value 5 for parameter 'description'"],
    [{ trace_archival_config: { location: "mlflow-artifacts:/x" } }, "proxy-only"],
    [{ trace_archival_config: { location: "no-uri" } }, "Expected a URI string"],
    [{ trace_archival_config: { retention: "1y" } }, "Expected a duration"],
    [{ trace_archival_config: { retention: "0d" } }, "Expected a duration"],
    [{ trace_archival_config: { retention: `${"1".repeat(32)}d` } }, "Maximum length is 32"],
  ])("is not made or changed to %j", async (fields, message) => {
    const refused = invalid(expect.stringContaining(message));
    expect(refusal(await server.post(WORKSPACES, { name: "never", ...fields }))).toEqual(refused);
    expect(refusal(await server.call("PATCH", `${WORKSPACES}/default`, fields))).toEqual(refused);
    expect(refusal(await server.get(`${WORKSPACES}/never`))).toEqual(notFound("never"));
  });

  test("is changed by something and deleted in a known mode", async () => {
    const name = await newWorkspace(server);
    expect(refusal(await server.call("PATCH", `${WORKSPACES}/${name}`, {}))).toEqual(
      invalid("Workspace update must have at least one key"),
    );
    expect(refusal(await remove(name, "SOFT"))).toEqual(
      invalid("Invalid deletion mode 'SOFT'. Must be one of: SET_DEFAULT, CASCADE, RESTRICT"),
    );
    expect(refusal(await server.call("PATCH", `${WORKSPACES}/nothing`, { description: "x" }))).toEqual(
      notFound("nothing"),
    );
    expect(refusal(await remove("nothing"))).toEqual(notFound("nothing"));
    expect(refusal(await remove("default"))).toEqual(
      invalid("The 'default' workspace is reserved and cannot be deleted"),
    );
  });
});

describe("the workspace in the header", () => {
  test("is the default one where none is named", async () => {
    for (const name of ["default", "", "  ", " default "]) {
      const answer = await inWorkspace(server, name).get(`${API}/experiments/get?experiment_id=0`);
      expect(accepted(answer).experiment.workspace).toBe("default");
    }
  });

  test("must be there, whatever is asked", async () => {
    const stranger = inWorkspace(server, "stranger");
    expect(refusal(await stranger.get(`${API}/experiments/get?experiment_id=0`))).toEqual(
      notFound("stranger"),
    );
    expect(refusal(await stranger.post(`${API}/runs/search`, {}))).toEqual(notFound("stranger"));
    expect(refusal(await stranger.get(WORKSPACES))).toEqual(notFound("stranger"));
    const malformed = await inWorkspace(server, "Not A Name").get(`${API}/experiments/get?experiment_id=0`);
    expect(refusal(malformed)).toEqual(invalid(expect.stringContaining("must match the pattern")));
  });

  test.each([
    "..",
    "../default",
    "a b",
    "default,default",
    "DEFAULT",
    "x'--",
    "%00",
    "\u00e9",
    "x".repeat(9000),
    "0",
    "{}",
  ])("may be anything: %j is refused", async (name) => {
    const { status, json } = await inWorkspace(server, name).get(`${API}/experiments/get?experiment_id=0`);
    expect([status, json.error_code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
    expect(json.message.length).toBeLessThan(400);
  });

  test("does not matter to server-info", async () => {
    expect((await inWorkspace(server, "stranger").get("/api/3.0/mlflow/server-info")).status).toBe(200);
  });

  test("is known in every process at once, and gone in every process when it is deleted", async () => {
    const name = await newWorkspace(server);
    const other = inWorkspace(beside, name);
    accepted(await other.post(`${API}/experiments/search`, { max_results: 5 }));
    expect((await remove(name)).status).toBe(204);
    expect(refusal(await inWorkspace(server, name).post(`${API}/experiments/create`, { name: "x" }))).toEqual(
      notFound(name),
    );
    // The other process has not heard of it yet, and cannot put anything into it all the same.
    expect(refusal(await other.post(`${API}/experiments/create`, { name: "x" }))).toEqual(notFound(name));
    expect(refusal(await other.post(`${API}/registered-models/create`, { name: "x" }))).toEqual(
      notFound(name),
    );
  });

  test("that is hidden is not there", async () => {
    await server.database.prepared(
      {
        name: "test_hidden_workspace",
        text: `insert into identity.workspaces (name, hidden, creation_timestamp, last_updated_timestamp)
          values ('hidden', true, 0, 0)`,
      },
      [],
    );
    expect(refusal(await server.get(`${WORKSPACES}/hidden`))).toEqual(notFound("hidden"));
    expect(refusal(await inWorkspace(server, "hidden").post(`${API}/runs/search`, {}))).toEqual(
      notFound("hidden"),
    );
    expect(refusal(await remove("hidden", "CASCADE"))).toEqual(notFound("hidden"));
    expect((await server.get(WORKSPACES)).text).not.toContain("hidden");
  });
});

describe("the artifact root of a workspace", () => {
  test.each([
    ["s3://bucket/path", "s3://bucket/path/ID"],
    ["s3://bucket/path//", "s3://bucket/path/ID"],
    ["s3://bucket/path?region=eu/west", "s3://bucket/path/ID?region=eu/west"],
    ["s3://bucket/path/?a=b", "s3://bucket/path/ID?a=b"],
    ["mlflow-artifacts:/", "mlflow-artifacts:/workspaces/NAME/ID"],
    ["mlflow-artifacts:/a/b", "mlflow-artifacts:/workspaces/NAME/a/b/ID"],
    ["MLflow-Artifacts:/a", "mlflow-artifacts:/workspaces/NAME/a/ID"],
  ])("%s has its experiments at %s", async (default_artifact_root, place) => {
    const name = await newWorkspace(server);
    accepted(await server.call("PATCH", `${WORKSPACES}/${name}`, { default_artifact_root }));
    const team = inWorkspace(server, name);
    const { experiment_id: id } = accepted(await team.post(`${API}/experiments/create`, { name: "placed" }));
    const { experiment } = accepted(await team.get(`${API}/experiments/get?experiment_id=${id}`));
    expect(experiment.artifact_location).toBe(place.replace("NAME", name).replace("ID", id));
    const location = { name: "chosen", artifact_location: "s3://bucket/chosen" };
    expect(refusal(await team.post(`${API}/experiments/create`, location))).toEqual(
      invalid(expect.stringContaining("artifact_location cannot be specified in a workspace")),
    );
  });

  test("holds for new experiments alone, and for the default workspace as well", async () => {
    const place = async (name: string): Promise<string> => {
      const { experiment_id: id } = accepted(await server.post(`${API}/experiments/create`, { name }));
      const { experiment } = accepted(await server.get(`${API}/experiments/get?experiment_id=${id}`));
      return experiment.artifact_location.replace(`/${id}`, "/ID");
    };
    expect(await place("before")).toBe("mlflow-artifacts:/ID");
    const root = async (default_artifact_root: string): Promise<Answer> =>
      server.call("PATCH", `${WORKSPACES}/default`, { default_artifact_root });
    accepted(await root("s3://bucket/all"));
    expect(await place("meanwhile")).toBe("s3://bucket/all/ID");
    accepted(await root(""));
    expect(await place("after")).toBe("mlflow-artifacts:/ID");
  });
});

describe("server-info", () => {
  test("tells the web interface of workspaces when there is one to choose", async () => {
    await using fresh = await startTestServer();
    const enabled = async (prefix: string): Promise<unknown> =>
      accepted(await fresh.get(`${prefix}/3.0/mlflow/server-info`)).workspaces_enabled;
    expect([await enabled("/api"), await enabled("/ajax-api")]).toEqual([true, false]);
    await newWorkspace(fresh);
    expect([await enabled("/api"), await enabled("/ajax-api")]).toEqual([true, true]);
  });
});
