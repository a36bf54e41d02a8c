import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { person, type Person } from "../../../test/principals.ts";
import { accepted, API, fresh, refusal } from "../../../test/runs.ts";

let server: TestServer;
let admin: Person;
/** Made the things that permissions are about. */
let maker: Person;
let ann: Person;

type As = { headers: Record<string, string> };
const ask = (as: As, method: string, ...[path, body]: [path: string, body?: unknown]): Promise<Answer> =>
  server.call(method, path, body, as.headers);

beforeAll(async () => {
  server = await startTestServer({ login: "required" });
  admin = await person(server, "admin", { isAdmin: true });
  maker = await person(server, "maker", { role: "editor" });
  ann = await person(server, "ann");
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const forbidden = [403, "PERMISSION_DENIED", "Permission denied"];

type Kind = {
  path: string;
  answer: string;
  label: string;
  /** A new one, as its permissions name it. */
  make(): Promise<Record<string, string>>;
  read(one: Record<string, string>): string;
};

const kinds: [string, Kind][] = [
  [
    "experiments",
    {
      path: `${API}/experiments/permissions`,
      answer: "experiment_permission",
      label: "Experiment permission",
      async make() {
        const answer = await ask(maker, "POST", `${API}/experiments/create`, { name: fresh("permitted") });
        return { experiment_id: accepted(answer).experiment_id };
      },
      read: (one) => `${API}/experiments/get?${new URLSearchParams(one).toString()}`,
    },
  ],
  [
    "registered models",
    {
      path: `${API}/registered-models/permissions`,
      answer: "registered_model_permission",
      label: "Registered model permission",
      async make() {
        const name = fresh("permitted model");
        accepted(await ask(maker, "POST", `${API}/registered-models/create`, { name }));
        return { name };
      },
      read: (one) => `${API}/registered-models/get?${new URLSearchParams(one).toString()}`,
    },
  ],
];

describe.each(kinds)("permissions of MLflow 2.9 on %s", (_name, kind) => {
  const get = (as: As, one: Record<string, string>, username: string): Promise<Answer> =>
    ask(as, "GET", `${kind.path}/get?${new URLSearchParams({ ...one, username }).toString()}`);

  test("are made, read, changed and deleted by who manages the thing", async () => {
    const one = await kind.make();
    const [[name, id]] = Object.entries(one) as [[string, string]];
    const user_id = ann.row.principal_id;
    const on = { ...one, username: "ann" };
    expect(refusal(await ask(ann, "GET", kind.read(one)))).toEqual(forbidden);
    const created = await ask(maker, "POST", `${kind.path}/create`, { ...on, permission: "READ" });
    expect(accepted(created)).toEqual({ [kind.answer]: { ...one, user_id, permission: "READ" } });
    expect((await ask(ann, "GET", kind.read(one))).status).toBe(200);
    const again = await ask(maker, "POST", `${kind.path}/create`, { ...on, permission: "EDIT" });
    expect(refusal(again)).toEqual([
      400,
      "RESOURCE_ALREADY_EXISTS",
      `${kind.label} (${name}=${id}, username=ann) already exists.`,
    ]);
    expect(accepted(await ask(maker, "PATCH", `${kind.path}/update`, { ...on, permission: "EDIT" }))).toEqual(
      {},
    );
    expect(accepted(await get(maker, one, "ann"))[kind.answer].permission).toBe("EDIT");
    expect(accepted(await ask(maker, "DELETE", `${kind.path}/delete`, on))).toEqual({});
    const missing = [
      404,
      "RESOURCE_DOES_NOT_EXIST",
      `${kind.label} with ${name}=${id} and username=ann not found`,
    ];
    expect(refusal(await get(maker, one, "ann"))).toEqual(missing);
    expect(refusal(await ask(maker, "DELETE", `${kind.path}/delete`, on))).toEqual(missing);
    const update = await ask(maker, "PATCH", `${kind.path}/update`, { ...on, permission: "READ" });
    expect(refusal(update)).toEqual(missing);
    expect(refusal(await ask(ann, "GET", kind.read(one)))).toEqual(forbidden);
  });

  test("of whoever made the thing are there from the beginning", async () => {
    const one = await kind.make();
    expect(accepted(await get(maker, one, "maker"))[kind.answer].permission).toBe("MANAGE");
  });

  test("take away what is given to everybody", async () => {
    const one = await kind.make();
    const viewer = await person(server, fresh("viewer"), { role: "viewer" });
    expect((await ask(viewer, "GET", kind.read(one))).status).toBe(200);
    const fields = { ...one, username: viewer.row.name, permission: "NO_PERMISSIONS" };
    accepted(await ask(admin, "POST", `${kind.path}/create`, fields));
    expect(refusal(await ask(viewer, "GET", kind.read(one)))).toEqual(forbidden);
  });

  test("are given by nobody else", async () => {
    const one = await kind.make();
    const editor = await person(server, fresh("editor"), { role: "editor" });
    for (const as of [ann, editor]) {
      const on = { ...one, username: as.row.name };
      const fields = { ...on, permission: "MANAGE" };
      expect(refusal(await ask(as, "POST", `${kind.path}/create`, fields))).toEqual(forbidden);
      expect(refusal(await ask(as, "PATCH", `${kind.path}/update`, fields))).toEqual(forbidden);
      expect(refusal(await ask(as, "DELETE", `${kind.path}/delete`, on))).toEqual(forbidden);
      expect(refusal(await get(as, one, "maker"))).toEqual(forbidden);
    }
  });

  test("are of users that are there, and such as MLflow knows", async () => {
    const one = await kind.make();
    const unknown = await ask(maker, "POST", `${kind.path}/create`, {
      ...one,
      username: "nobody",
      permission: "READ",
    });
    expect(refusal(unknown)).toEqual([404, "RESOURCE_DOES_NOT_EXIST", "User with username=nobody not found"]);
    for (const permission of ["WRITE", "", null, 7]) {
      const wrong = await ask(maker, "POST", `${kind.path}/create`, { ...one, username: "ann", permission });
      expect([wrong.status, wrong.json.error_code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
    }
    for (const left of Object.keys({ ...one, username: "" })) {
      const { [left]: _left, ...rest } = { ...one, username: "ann", permission: "READ" } as Record<
        string,
        string
      >;
      const answer = await ask(admin, "POST", `${kind.path}/create`, rest);
      expect(refusal(answer)).toEqual([
        400,
        "INVALID_PARAMETER_VALUE",
        expect.stringContaining(`Missing value for required parameter '${left}'`),
      ]);
    }
  });
});
