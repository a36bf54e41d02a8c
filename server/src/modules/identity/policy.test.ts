import { describe, expect, test } from "vitest";
import { grant, policyWith } from "./policy-fixture.ts";
import { compilePolicy, type Permission } from "./policy.ts";

const ofExperiment = (id: string): { type: "experiment"; id: string } => ({ type: "experiment", id });

describe("worked examples", () => {
  // What is granted, and what follows: on an experiment; on its runs after `/run`.
  test.each<[string[], Record<string, Permission>]>([
    // Nothing is allowed that nobody granted.
    [[], { "7": "NO_PERMISSIONS", "7/run": "NO_PERMISSIONS" }],
    // The builtin roles are a grant on the workspace: a floor for everything in it.
    [["workspace * READ"], { "7": "READ", "7/run": "READ" }],
    [["workspace * EDIT"], { "7": "EDIT", "7/run": "EDIT" }],
    [["workspace * MANAGE"], { "7": "MANAGE", "7/run": "MANAGE" }],
    // MLflow's member reads everything, and gets MANAGE on what it makes.
    [["workspace * USE", "experiment 7 MANAGE"], { "7": "MANAGE", "7/run": "MANAGE", "8": "READ" }],
    // A grant on one resource, or on all of a type, counts when it is more than the floor.
    [["experiment 7 READ"], { "7": "READ", "7/run": "READ", "8": "NO_PERMISSIONS" }],
    [["workspace * READ", "experiment 7 EDIT"], { "7": "EDIT", "8": "READ" }],
    [["workspace * EDIT", "experiment 7 READ"], { "7": "EDIT" }],
    [["experiment * READ", "experiment 7 EDIT"], { "7": "EDIT", "8": "READ" }],
    // Several roles may speak of one resource: the highest counts.
    [["experiment 7 READ", "experiment 7 EDIT"], { "7": "EDIT" }],
    // DENY wins over all of them.
    [["experiment 7 MANAGE", "experiment 7 DENY"], { "7": "DENY", "7/run": "DENY", "8": "NO_PERMISSIONS" }],
    [["workspace * EDIT", "experiment 7 DENY"], { "7": "DENY", "8": "EDIT" }],
    [["workspace * EDIT", "experiment * DENY", "experiment 7 MANAGE"], { "7": "DENY", "8": "DENY" }],
    // NO_PERMISSIONS takes the floor away, and gives way to any other grant.
    [["workspace * EDIT", "experiment 7 NO_PERMISSIONS"], { "7": "NO_PERMISSIONS", "8": "EDIT" }],
    [["workspace * READ", "experiment 7 NO_PERMISSIONS", "experiment 7 EDIT"], { "7": "EDIT" }],
    [
      ["workspace * READ", "experiment * NO_PERMISSIONS", "experiment 7 READ"],
      { "7": "READ", "8": "NO_PERMISSIONS" },
    ],
    // A grant on all runs stands in the place of the experiment's, in both directions ...
    [["experiment 7 READ", "run * EDIT"], { "7": "READ", "7/run": "EDIT" }],
    [["experiment 7 MANAGE", "run * READ"], { "7": "MANAGE", "7/run": "READ" }],
    [["workspace * READ", "run * DENY"], { "7": "READ", "7/run": "DENY" }],
    [["workspace * READ", "run * NO_PERMISSIONS"], { "7": "READ", "7/run": "NO_PERMISSIONS" }],
    // ... but never below the floor, nor where the experiment cannot be read.
    [["workspace * EDIT", "run * READ"], { "7/run": "EDIT" }],
    [["run * MANAGE"], { "7": "NO_PERMISSIONS", "7/run": "NO_PERMISSIONS" }],
    [
      ["workspace * READ", "run * MANAGE", "experiment 7 DENY"],
      { "7/run": "NO_PERMISSIONS", "8/run": "MANAGE" },
    ],
    // Who manages the workspace is not restricted in it; DENY on the workspace shuts everybody out.
    [["workspace * MANAGE", "experiment 7 DENY", "run * DENY"], { "7": "MANAGE", "7/run": "MANAGE" }],
    [["workspace * MANAGE", "workspace * DENY", "experiment 7 MANAGE"], { "7": "NO_PERMISSIONS" }],
  ])("%j", (grants, expected) => {
    const policy = policyWith(...grants);
    const found = Object.keys(expected).map((on) => {
      const [id = "", part] = on.split("/");
      return [on, part === undefined ? policy.on("experiment", id) : policy.onPart("run", ofExperiment(id))];
    });
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  // Who is in the workspace at all, may make experiments, models and buckets there, and says who may do what.
  test.each<[string[], { isMember: boolean; mayCreate: boolean; isAdmin: boolean }]>([
    [[], { isMember: false, mayCreate: false, isAdmin: false }],
    [["workspace * READ"], { isMember: true, mayCreate: false, isAdmin: false }],
    [["workspace * USE"], { isMember: true, mayCreate: true, isAdmin: false }],
    [["workspace * EDIT"], { isMember: true, mayCreate: true, isAdmin: false }],
    [["workspace * MANAGE"], { isMember: true, mayCreate: true, isAdmin: true }],
    [["workspace * MANAGE", "workspace * DENY"], { isMember: false, mayCreate: false, isAdmin: false }],
    [["experiment 7 READ"], { isMember: true, mayCreate: false, isAdmin: false }],
    [["experiment * MANAGE"], { isMember: true, mayCreate: false, isAdmin: false }],
    [["experiment 7 DENY"], { isMember: false, mayCreate: false, isAdmin: false }],
    [["experiment 7 NO_PERMISSIONS"], { isMember: false, mayCreate: false, isAdmin: false }],
  ])("%j", (grants, expected) => {
    expect(policyWith(...grants)).toMatchObject(expected);
  });

  test("what may not even be made", () => {
    const policy = policyWith(
      "workspace * EDIT",
      "run * DENY",
      "experiment * DENY",
      "registered_model 7 DENY",
    );
    expect([policy.isDenied("run"), policy.isDenied("experiment")]).toEqual([true, true]);
    expect([policy.isDenied("logged_model"), policy.isDenied("registered_model")]).toEqual([false, false]);
    expect(policyWith("workspace * MANAGE", "run * DENY").isDenied("run")).toBe(false);
    expect(policyWith("workspace * DENY").isDenied("run")).toBe(true);
  });

  test("an artifact store that teams share by prefix", () => {
    const policy = policyWith(
      "bucket artifacts/projects/iris READ",
      "bucket artifacts/projects/iris/staging EDIT",
      "bucket artifacts/projects/iris/production/secret DENY",
    );
    const on = (key: string): Permission => policy.onKey("artifacts", key);
    expect(on("projects/iris/production/model.pkl")).toBe("READ");
    expect(on("projects/iris/staging/model.pkl")).toBe("EDIT");
    expect(on("projects/iris/production/secret")).toBe("DENY");
    expect(on("projects/iris/production/secret/key.pem")).toBe("DENY");
    expect(on("projects/iris/production/secrets.txt")).toBe("READ");
    expect(on("projects/irises/a")).toBe("NO_PERMISSIONS");
    expect(on("projects/")).toBe("NO_PERMISSIONS");
    expect(policy.onKey("other", "projects/iris/a")).toBe("NO_PERMISSIONS");
    // Above what is denied: to be listed, entry by entry, but never to be taken as a whole.
    expect(on("projects/iris/production/")).toBe("READ");
    expect(policy.onTree("artifacts", "projects/iris")).toBe("DENY");
    expect(policy.onTree("artifacts", "projects/iris/")).toBe("DENY");
    expect(policy.onTree("artifacts", "projects/iris/staging")).toBe("EDIT");
    expect(policy.onTree("artifacts", "projects/iris/production/se")).toBe("READ");
    expect(policy.onTree("artifacts", "")).toBe("DENY");
    // A bucket of which a part may be read is not one that may be read.
    expect(policy.visible("bucket")).toEqual({ kind: "only", ids: [] });
    expect(policyWith("workspace * READ", "bucket a/b DENY").visible("bucket")).toEqual({ kind: "all" });
    expect(policyWith("workspace * READ", "bucket a DENY").visible("bucket")).toEqual({
      kind: "except",
      ids: ["a"],
    });
  });

  test("a key that reads what its owner manages", () => {
    const policy = compilePolicy([grant("workspace * MANAGE")], { isPlatformAdmin: false, ceiling: "READ" });
    expect(policy).toMatchObject({ uniform: "READ", isMember: true, mayCreate: false, isAdmin: false });
  });

  test("what makes looking anything up needless", () => {
    expect(policyWith("workspace * EDIT").uniform).toBe("EDIT");
    expect(policyWith("workspace * USE").uniform).toBe("READ");
    expect(policyWith("workspace * MANAGE", "experiment 7 DENY").uniform).toBe("MANAGE");
    expect(policyWith("workspace * READ", "experiment 7 READ").uniform).toBeUndefined();
  });
});
