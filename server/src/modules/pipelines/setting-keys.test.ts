import { describe, expect, it } from "vitest";
import { readsLegacyKeys, settingsKeys } from "./setting-keys.ts";

const components = [
  { type: "orchestrator", name: "o", flavor_name: "kubernetes" },
  { type: "step_operator", name: "s1", flavor_name: "sagemaker" },
  { type: "step_operator", name: "s2", flavor_name: "sagemaker" },
];
const keys = settingsKeys({ components, isLegacy: false, canWait: true });
const normalized = (settings: Record<string, unknown>): unknown =>
  keys.normalized({ settings, extra: 1 })["settings"];

describe("keys of settings", () => {
  it.each([
    ["orchestrator", "orchestrator:o"],
    ["orchestrator.kubernetes", "orchestrator:o"],
    ["orchestrator:o", "orchestrator:o"],
    ["step_operator", "step_operator:s1"],
    ["step_operator:s2", "step_operator:s2"],
    ["resources", "resources"],
    ["orchestrators", "orchestrators"],
  ])("%s is %s", (given, meant) => expect(normalized({ [given]: { a: 1 } })).toEqual({ [meant]: { a: 1 } }));

  it("are left out where no component is meant", () =>
    expect(normalized({ "orchestrator:other": {}, "orchestrator.local": {}, docker: {} })).toEqual({
      docker: {},
    }));

  it.each([
    [{ orchestrator: {}, "orchestrator:o": {} }, /Duplicate settings/],
    [{ "step_operator.sagemaker": {} }, /matched 2 components/],
    [{ artifact_store: {} }, /no default component of type artifact_store/],
  ])("are refused: %o", (settings, message) => expect(() => normalized(settings)).toThrow(message));

  it("are those of flavors for clients before 0.94.3", () => {
    const old = settingsKeys({ components, isLegacy: true, canWait: true });
    expect(old.withoutWaiting({ orchestrator: { timeout: 1 } })).toEqual({
      "orchestrator.kubernetes": { timeout: 1, synchronous: false },
    });
    expect(["0.94.2", "0.84.0", "0.9", "", null, "unknown"].every(readsLegacyKeys)).toBe(true);
    expect(["0.94.3", "0.95.0", "0.98.0", "1.0.0"].some(readsLegacyKeys)).toBe(false);
  });

  it("stay as they are where the orchestrator cannot wait", () => {
    const other = settingsKeys({ components, isLegacy: false, canWait: false });
    expect(other.withoutWaiting({ orchestrator: {} })).toEqual({ orchestrator: {} });
    expect(keys.withoutWaiting(undefined)).toEqual({ "orchestrator:o": { synchronous: false } });
  });
});
