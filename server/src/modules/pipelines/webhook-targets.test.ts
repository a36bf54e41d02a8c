import { describe, expect, it } from "vitest";
import { readTargets } from "./webhook-targets.ts";

const one = (target: unknown, type = "github"): unknown =>
  (readTargets(type, { target_events: [target] })["target_events"] as unknown[])[0];
const refusal = (target: unknown, type = "github"): unknown => {
  try {
    return one(target, type);
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe("targets of webhook triggers", () => {
  it("say all that may be said", () => {
    expect(one({ type: "push", repo: ["a/b", "startswith:c/"] })).toStrictEqual({
      type: "push",
      repo: ["a/b", "startswith:c/"],
      branch: null,
      actor: null,
    });
    expect(one({ type: "message", threaded: true }, "slack")).toMatchObject({
      include_subtypes: false,
      threaded: true,
      subtype: null,
    });
    expect(one({ event_type: "deployed" }, "custom")).toStrictEqual({
      type: "dynamic",
      event_type: "deployed",
      filters: {},
    });
    expect(readTargets("custom", {})).toStrictEqual({ target_events: null });
    expect(readTargets("custom", { target_events: [] })).toStrictEqual({ target_events: [] });
  });

  it.each([
    [{ type: "push", tag: "x" }],
    [{ type: "taskCreated" }],
    [{ type: "toString" }],
    [{ repo: "a" }],
    ["push"],
    [{ type: "push", repo: "" }],
    [{ type: "push", repo: [] }],
    [{ type: "push", repo: [7] }],
    [{ type: "push", repo: "r".repeat(513) }],
    [{ type: "push", repo: Array.from({ length: 11 }, () => "a") }],
    [{ type: "push", repo: "contains:" }],
    [{ type: "push", repo: "oneof:a" }],
    [{ type: "push", repo: "oneof:[]" }],
    [{ type: "push", repo: 'notoneof:["a", 1]' }],
    [{ type: "dynamic" }],
    [{ type: "dynamic", event_type: "a", repo: "b" }],
    [{ type: "dynamic", event_type: "a", filters: [] }],
    [{ type: "dynamic", event_type: "a", filters: { a: null } }],
  ])("refuse %j", (target) => {
    expect(refusal(target)).toBe("invalid_parameter");
  });

  it.each(["a", "a.b-c", "a[0]", "a[*].b", '["a b"].c', '["a\\"]\\u00e9"]', "a.b.c.d.e.f.g.h"])(
    "take the path %s",
    (path) => {
      expect(refusal({ type: "dynamic", event_type: "e", filters: { [path]: "x" } })).toBeTypeOf("object");
    },
  );

  it.each([
    "",
    "0",
    "a.",
    ".a",
    "a[",
    "a[-1]",
    "a[b]",
    "[0]",
    "a b",
    'a["b]',
    "a[*][*]",
    "a.b.c.d.e.f.g.h.i",
    "a".repeat(513),
  ])("refuse the path %s", (path) => {
    expect(refusal({ type: "dynamic", event_type: "e", filters: { [path]: "x" } })).toBe("invalid_parameter");
  });

  it("cannot have some subtypes and all of them", () => {
    expect(refusal({ type: "message", subtype: "a", include_subtypes: true }, "slack")).toBe(
      "invalid_parameter",
    );
    expect(refusal({ type: "message", include_subtypes: null }, "slack")).toBe("invalid_parameter");
  });
});
