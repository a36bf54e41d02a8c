// Runs that are stopped, refreshed and deleted from another process while they run.
import { afterAll, beforeAll, expect, it } from "vitest";
import { zenmlClients } from "../src/environment.ts";
import { startGuardedPlinth, type Target } from "../src/target.ts";
import { asAdmin, runZenmlFlow } from "./flow.ts";

let target: Target;

beforeAll(async () => {
  target = await startGuardedPlinth();
});
afterAll(async () => {
  if (target) expect(await target.stop()).toBe(0);
});

it.concurrent.each(zenmlClients)("zenml %s stops, refreshes and deletes runs", async (version) => {
  const isNew = version === "0.98.0";
  const name = `v${version.replaceAll(".", "")}`;
  const env = { ...asAdmin(target.url), OWN_FLAVOR: `${name}-local` };
  const seen = await runZenmlFlow({ version, script: "stopping", url: target.url, args: [name], env });
  const no = "NotImplementedError";
  expect(seen).toEqual({
    // The local orchestrator can neither say how a run stands nor end it at once; 0.98.0 publishes the wish before it
    // says so, and 0.84.0 says so first. What runs is let run to its end; no step begins after it.
    asked: {
      work: isNew
        ? [no, no, "stopping", "IllegalOperationError"]
        : [no, no, no, "running", "stopping", "IllegalOperationError"],
      "ended well": false,
      run: "stopped",
      ended: true,
      steps: { first: ["completed", true], waits: ["completed", true] },
    },
    beating: isNew
      ? {
          work: [true, null],
          "ended well": false,
          run: "stopped",
          ended: true,
          steps: { first: ["completed", true], waits: ["stopped", true] },
        }
      : null,
    // What another orchestrator says of a run and its step stands, whatever the step says of itself afterwards.
    refreshed: isNew
      ? null
      : {
          work: "failed",
          "ended well": false,
          run: "failed",
          ended: true,
          steps: { first: ["completed", true], waits: ["failed", false] },
        },
    "too late": ["IllegalOperationError", "IllegalOperationError"],
    deleted: ["KeyError", 0],
  });
});
