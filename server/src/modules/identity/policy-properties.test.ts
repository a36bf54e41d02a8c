import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Action } from "../../kernel/access.ts";
import { grant, plain, policyWith } from "./policy-fixture.ts";
import {
  addToFolds,
  allows,
  compilePolicy,
  foldGrants,
  permissions,
  policyOf,
  type Ceiling,
  type Grant,
  type PartType,
  type Permission,
  type Policy,
  type SingleType,
  type Visible,
} from "./policy.ts";

const singles = ["experiment", "registered_model", "bucket"] as const satisfies SingleType[];
const parts = [
  ["run", "experiment"],
  ["logged_model", "experiment"],
  ["registered_model_version", "registered_model"],
] as const satisfies [PartType, SingleType][];
/** What is granted, and `3`, which never is. */
const ids = ["1", "2", "3"];
const prefixes = ["1/p", "1/p/q", "1/r", "2/p"];
const keys = ["", "x", "p", "p/", "p/x", "p/q", "p/q/", "p/q/x", "pq", "r/x"];
const actions: readonly Action[] = ["read", "use", "edit", "manage"];

const anyPermission = fc.constantFrom(...permissions);
const single = fc.oneof(
  fc.record({
    resource_type: fc.constantFrom("experiment", "registered_model", "bucket"),
    pattern: fc.constantFrom("*", "1", "2"),
  }),
  fc.record({ resource_type: fc.constant("bucket"), pattern: fc.constantFrom(...prefixes) }),
);
const whole = fc.record({
  resource_type: fc.constantFrom("run", "logged_model", "registered_model_version", "workspace"),
  pattern: fc.constant("*"),
});
const withPermission = (
  on: fc.Arbitrary<{ resource_type: string; pattern: string }>,
  permission: fc.Arbitrary<Permission>,
): fc.Arbitrary<Grant> =>
  fc
    .tuple(on, permission)
    .map(([{ resource_type, pattern }, granted]) => grant(`${resource_type} ${pattern} ${granted}`));
const anyGrant = withPermission(fc.oneof(single, whole), anyPermission);
const anyGrants = fc.array(anyGrant, { maxLength: 8 });
const anyOptions = fc.record({
  isPlatformAdmin: fc.boolean(),
  ceiling: fc.constantFrom<Ceiling | undefined>(undefined, "READ", "USE", "EDIT", "MANAGE"),
});

const isIn = (visible: Visible, id: string): boolean =>
  visible.kind === "all" || visible.ids.includes(id) === (visible.kind === "only");

/** The permission on each thing of a small world. */
function permissionsBy(policy: Policy): Map<string, Permission> {
  const found = new Map<string, Permission>();
  for (const type of singles) for (const id of ids) found.set(`${type} ${id}`, policy.on(type, id));
  for (const [part, type] of parts) {
    for (const id of ids) found.set(`${part} in ${id}`, policy.onPart(part, { type, id }));
  }
  for (const bucket of ids) {
    for (const key of keys) {
      found.set(`key ${bucket}/${key}`, policy.onKey(bucket, key));
      found.set(`tree ${bucket}/${key}`, policy.onTree(bucket, key));
    }
  }
  return found;
}

/** All that a policy allows in it. */
function allowedBy(policy: Policy): Set<string> {
  const allowed = new Set<string>();
  for (const [thing, permission] of permissionsBy(policy)) {
    for (const action of actions) if (allows(permission, action)) allowed.add(`${action} ${thing}`);
  }
  for (const type of singles) {
    for (const id of ids) if (isIn(policy.visible(type), id)) allowed.add(`see ${type} ${id}`);
    if (!policy.isDenied(type)) allowed.add(`make ${type}`);
  }
  for (const [part, type] of parts) {
    for (const id of ids) if (isIn(policy.visibleParts(part, type), id)) allowed.add(`see ${part} in ${id}`);
    if (!policy.isDenied(part)) allowed.add(`make ${part}`);
  }
  for (const flag of ["isMember", "mayCreate", "isAdmin"] as const) if (policy[flag]) allowed.add(flag);
  return allowed;
}

const beyond = (more: Policy, less: Policy): string[] => {
  const allowed = allowedBy(less);
  return [...allowedBy(more)].filter((one) => !allowed.has(one));
};

describe("whatever is granted", () => {
  test("a DENY more never allows more", () => {
    const deny = withPermission(fc.oneof(single, whole), fc.constant<Permission>("DENY"));
    fc.assert(
      fc.property(anyGrants, deny, anyOptions, (...[grants, more, options]) => {
        const before = compilePolicy(grants, options);
        expect(beyond(compilePolicy([...grants, more], options), before)).toEqual([]);
      }),
    );
  });

  test("a positive grant more never takes away, on a resource, all of its type or the workspace", () => {
    const positive = withPermission(
      fc.oneof(single, fc.constant({ resource_type: "workspace", pattern: "*" })),
      fc.constantFrom<Permission>("READ", "USE", "EDIT", "MANAGE"),
    );
    fc.assert(
      fc.property(anyGrants, positive, anyOptions, (...[grants, more, options]) => {
        const after = compilePolicy([...grants, more], options);
        expect(beyond(compilePolicy(grants, options), after)).toEqual([]);
      }),
    );
  });

  test("a positive grant on all parts of a type takes away from those parts alone", () => {
    const onParts = withPermission(
      fc.record({ resource_type: fc.constantFrom("run", "logged_model"), pattern: fc.constant("*") }),
      fc.constantFrom<Permission>("READ", "USE", "EDIT", "MANAGE"),
    );
    fc.assert(
      fc.property(anyGrants, onParts, (grants, more) => {
        const lost = beyond(compilePolicy(grants, plain), compilePolicy([...grants, more], plain));
        for (const one of lost)
          expect(one).toMatch(new RegExp(`^(use|edit|manage) ${more.resource_type} in `));
      }),
    );
    // For example `run * READ` beside MANAGE on the experiment.
    const lost = beyond(policyWith("experiment 1 MANAGE"), policyWith("experiment 1 MANAGE", "run * READ"));
    expect(lost).toEqual(["use run in 1", "edit run in 1", "manage run in 1"]);
  });

  test("the order of grants does not matter, nor in which role they stand", () => {
    const shuffled = anyGrants.chain((grants) =>
      fc.tuple(fc.constant(grants), fc.shuffledSubarray(grants, { minLength: grants.length })),
    );
    fc.assert(
      fc.property(shuffled, anyOptions, ([grants, other], options) => {
        const [one, two] = [compilePolicy(grants, options), compilePolicy([...other, ...other], options)];
        expect(permissionsBy(two)).toEqual(permissionsBy(one));
        expect(allowedBy(two)).toEqual(allowedBy(one));
        expect(two.uniform).toBe(one.uniform);
      }),
    );
  });

  test("one grant added later is as if it had been there", () => {
    fc.assert(
      fc.property(anyGrants, anyGrant, (grants, more) => {
        const before = foldGrants(grants);
        const [added, atOnce] = [
          policyOf(addToFolds(before, more), plain),
          compilePolicy([...grants, more], plain),
        ];
        expect(permissionsBy(added)).toEqual(permissionsBy(atOnce));
        expect(allowedBy(added)).toEqual(allowedBy(atOnce));
        expect(permissionsBy(policyOf(before, plain))).toEqual(permissionsBy(compilePolicy(grants, plain)));
      }),
    );
  });

  test("what can be seen is what may be read", () => {
    fc.assert(
      fc.property(anyGrants, anyOptions, (grants, options) => {
        const policy = compilePolicy(grants, options);
        for (const type of singles) {
          for (const id of ids) {
            expect(isIn(policy.visible(type), id)).toBe(allows(policy.on(type, id), "read"));
          }
        }
        for (const [part, type] of parts) {
          for (const id of ids) {
            const mayRead = allows(policy.onPart(part, { type, id }), "read");
            expect(isIn(policy.visibleParts(part, type), id)).toBe(mayRead);
          }
        }
      }),
    );
  });

  test("where the permission is uniform it is the one on everything", () => {
    fc.assert(
      fc.property(anyGrants, anyOptions, (grants, options) => {
        const policy = compilePolicy(grants, options);
        fc.pre(policy.uniform !== undefined);
        expect(new Set(permissionsBy(policy).values())).toEqual(new Set([policy.uniform]));
      }),
    );
  });

  test("nothing may be done less with than the least permission says", () => {
    fc.assert(
      fc.property(anyGrants, anyOptions, (grants, options) => {
        const policy = compilePolicy(grants, options);
        for (const permission of permissionsBy(policy).values()) {
          for (const action of actions) {
            expect(allows(policy.least, action) && !allows(permission, action)).toBe(false);
          }
        }
        if (policy.uniform !== undefined) expect(policy.least).toBe(policy.uniform);
      }),
    );
    const editor = [grant("workspace * EDIT"), grant("experiment 1 MANAGE")];
    expect(compilePolicy(editor, { isPlatformAdmin: false, ceiling: undefined }).least).toBe("EDIT");
  });

  test("a limited key allows what its owner may, as far as its limit goes, and nothing else", () => {
    const limit = fc.constantFrom<Ceiling>("READ", "USE", "EDIT", "MANAGE");
    fc.assert(
      fc.property(anyGrants, fc.boolean(), limit, (...[grants, isPlatformAdmin, ceiling]) => {
        const own = compilePolicy(grants, { isPlatformAdmin, ceiling: undefined });
        const limited = compilePolicy(grants, { isPlatformAdmin, ceiling });
        expect(beyond(limited, own)).toEqual([]);
        for (const [thing, permission] of permissionsBy(limited)) {
          for (const action of actions) {
            const mayOwner = allows(permissionsBy(own).get(thing) ?? "DENY", action);
            expect(allows(permission, action)).toBe(mayOwner && allows(ceiling, action));
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test("a tree allows what is allowed on every key in it", () => {
    fc.assert(
      fc.property(anyGrants, (grants) => {
        const policy = compilePolicy(grants, plain);
        for (const key of ["", "p", "p/", "p/q"]) {
          const inside = key === "" || key.endsWith("/") ? key : `${key}/`;
          const below = [...keys, "p/q/y"].filter((one) => one === key || one.startsWith(inside));
          for (const action of actions) {
            const onAll = below.every((one) => allows(policy.onKey("1", one), action));
            if (allows(policy.onTree("1", key), action)) expect(onAll).toBe(true);
          }
        }
      }),
    );
  });
});

/** The rules once more, each in the plainest words, over the list of grants itself. */
function documented(grants: readonly Grant[], speaksOf: (one: Grant) => boolean): Permission | undefined {
  const found = new Set(grants.filter(speaksOf).map((one) => one.permission));
  if (found.has("DENY")) return "DENY";
  return permissions.toReversed().find((permission) => found.has(permission));
}

test("the union of roles is the documented fold", () => {
  const higher = (one: Permission, two: Permission): Permission =>
    permissions.indexOf(one) > permissions.indexOf(two) ? one : two;
  fc.assert(
    fc.property(fc.array(anyGrants, { maxLength: 3 }), (roles) => {
      const grants = roles.flat();
      const policy = compilePolicy(grants, plain);
      const onWorkspace = documented(grants, (one) => one.resource_type === "workspace") ?? "NO_PERMISSIONS";
      const floor = onWorkspace === "USE" ? "READ" : onWorkspace;
      const overFloor = (found: Permission | undefined): Permission => {
        if (onWorkspace === "DENY") return "NO_PERMISSIONS";
        if (onWorkspace === "MANAGE") return "MANAGE";
        if (found === undefined) return floor;
        return found === "DENY" || found === "NO_PERMISSIONS" ? found : higher(found, floor);
      };
      for (const type of singles) {
        for (const id of ids) {
          const found = documented(
            grants,
            ({ resource_type, pattern }) => resource_type === type && ["*", id].includes(pattern),
          );
          expect(policy.on(type, id)).toBe(overFloor(found));
        }
      }
      for (const [part, type] of parts) {
        for (const id of ids) {
          const onContainer = policy.on(type, id);
          const found = documented(grants, ({ resource_type }) => resource_type === part);
          const isSettled = onWorkspace === "DENY" || onWorkspace === "MANAGE";
          const expected =
            isSettled || found === undefined
              ? onContainer
              : allows(onContainer, "read")
                ? overFloor(found)
                : "NO_PERMISSIONS";
          expect(policy.onPart(part, { type, id })).toBe(expected);
        }
      }
      for (const bucket of ids) {
        for (const key of keys) {
          const found = documented(
            grants,
            ({ resource_type, pattern }) =>
              resource_type === "bucket" &&
              (["*", bucket, `${bucket}/${key}`].includes(pattern) ||
                `${bucket}/${key}`.startsWith(`${pattern}/`)),
          );
          expect(policy.onKey(bucket, key)).toBe(overFloor(found));
        }
      }
    }),
  );
});
