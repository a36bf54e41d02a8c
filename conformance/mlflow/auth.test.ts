// People who log in with the real clients, and what MLflow documents of their permissions: on Plinth with both
// clients, and on MLflow's own auth server, whose answers are the same.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clients, ensureAuth, ensureDrivers, type ClientVersion } from "../src/environment.ts";
import { runFlow, type Observations } from "../src/python.ts";
import { admin, startGuardedPlinth, startGuardedReference, type Target } from "../src/target.ts";

let plinth: Target;
let reference: Target;

beforeAll(async () => {
  [plinth, reference] = await Promise.all([
    // What MLflow's READ is for everybody: reads everything, makes experiments and models of its own.
    startGuardedPlinth(["--default-permission", "USE"]),
    startGuardedReference(),
  ]);
});

afterAll(async () => {
  await reference?.stop();
  if (plinth) expect(await plinth.stop()).toBe(0);
});

async function play(script: string, version: ClientVersion, { url }: Target): Promise<Observations> {
  // Importing the client imports the server's side of it, which needs these.
  const libraries = [await (version === "2.9.2" ? ensureDrivers() : ensureAuth())];
  return runFlow({ version, script, url, libraries, args: [admin.username, admin.password] });
}

const denied = "PERMISSION_DENIED";
const reads = {
  get_experiment: null,
  by_name: null,
  get_run: null,
  history: null,
  list_artifacts: null,
  download: null,
  found_runs: 2,
  found_experiment: 1,
  get_model: null,
  get_version: null,
  found_model: 1,
};
const edits = {
  log_metric: null,
  log_batch: null,
  set_tag: null,
  upload: null,
  create_run: null,
  set_experiment_tag: null,
  update_model: null,
  set_model_tag: null,
  set_alias: null,
};
const manages = { grant: null, delete_run: null, delete_version_tag: null, delete_experiment: null };

const refused = (allowed: object): object =>
  Object.fromEntries(Object.keys(allowed).map((name) => [name, name.startsWith("found_") ? 0 : denied]));

const everySecond = { lengths: [4, 2], names: [1, 3, 5, 7, 9, 11] };

const expected = {
  login: { wrong: "UNAUTHENTICATED", unknown: "UNAUTHENTICATED", anonymous: "UNAUTHENTICATED" },
  own: null,
  permissions: {
    READ: { ...reads, ...refused(edits), ...refused(manages) },
    EDIT: { ...reads, ...edits, ...refused(manages) },
    // With the run that was made meanwhile.
    MANAGE: { ...reads, found_runs: 3, ...edits, ...manages },
    NO_PERMISSIONS: { ...refused(reads), ...refused(edits), ...refused(manages) },
  },
  paged: { experiments: everySecond, models: everySecond },
  password: {
    without_current: "INVALID_PARAMETER_VALUE",
    wrong_current: "INVALID_PARAMETER_VALUE",
    another_ones: denied,
    changed: null,
    after_change: "UNAUTHENTICATED",
    with_new: null,
    deleted: "UNAUTHENTICATED",
  },
};

describe("permissions", () => {
  const played: readonly (readonly [string, ClientVersion, () => Target])[] = [
    ["Plinth with mlflow 3.17.2", "3.17.2", () => plinth],
    ["Plinth with mlflow 2.9.2", "2.9.2", () => plinth],
    ["MLflow's own server", "3.17.2", () => reference],
  ];
  let seen: Observations[] = [];
  beforeAll(async () => {
    seen = await Promise.all(played.map(([, version, target]) => play("permissions", version, target())));
  });

  describe.each(played.map(([name], index) => [name, index] as const))("on %s", (_name, index) => {
    it.each(Object.entries(expected))("are as documented: %s", (part, what) => {
      expect(seen[index]?.[part]).toEqual(what);
    });
  });
});

const raised = (code: string) => ({ type: "RestException", code });
const absent = raised("RESOURCE_DOES_NOT_EXIST");
const taken = raised("RESOURCE_ALREADY_EXISTS");
const unknownLogin = raised("UNAUTHENTICATED");

describe.each(clients)("get_app_client of mlflow %s", (version) => {
  let seen: Observations = {};
  beforeAll(async () => {
    seen = await play("auth_client", version, plinth);
  });

  it("makes, reads, changes and deletes users", () =>
    expect(seen["users"]).toEqual({
      created: ["dan-x", false],
      taken,
      short: raised("INVALID_PARAMETER_VALUE"),
      got: ["dan-x", false],
      unknown: absent,
      admin: ["dan-x", true],
      no_admin: ["dan-x", false],
      old_password: unknownLogin,
      new_password: ["dan-x", false],
      another_one: raised(denied),
      not_for_users: raised(denied),
      deleted: unknownLogin,
    }));

  it("logs in by a key, as a token and as a password, until the key is deleted", () =>
    expect(seen["by_key"]).toEqual({
      bearer: ["dan-x", false],
      search: null,
      as_password: null,
      deleted: unknownLogin,
      none: unknownLogin,
    }));

  it("gives and takes permissions on what one made", () => {
    if (version === "2.9.2") {
      const one = ["READ", taken, "NO_PERMISSIONS", absent, "MANAGE"];
      const own = [[true, "MANAGE"]];
      expect(seen["permissions"]).toEqual({ experiment: one, model: one, of_the_user: [own, own] });
    } else {
      const one = [taken, [true, "EDIT"], absent, "MANAGE"];
      expect(seen["permissions"]).toEqual({ experiment: one, model: one });
    }
  });

  it("works with roles, where the client knows them; DENY wins", () => {
    const listed = ["admin", "editor", "members x", "viewer"];
    const known = {
      made: ["default", "reads", []],
      denied: raised(denied),
      others: null,
      hidden: [],
      permissions: ["DENY", "READ"],
      updated: "EDIT",
      holders: [true],
      of_user: ["members x"],
      renamed: ["members x", "reads"],
      listed: [listed, listed],
      taken,
      left: ["DENY"],
      unassigned: 0,
      deleted: absent,
    };
    expect(seen["roles"]).toEqual(version === "2.9.2" ? null : known);
  });
});
