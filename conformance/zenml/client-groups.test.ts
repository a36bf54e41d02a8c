// What the clients' `Client` does that no command does, by both clients at once.
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

it.concurrent.each(zenmlClients)("zenml %s keeps what only its Client asks for", async (version) => {
  const isNew = version === "0.98.0";
  const name = `v${version.replaceAll(".", "")}`;
  const seen = await runZenmlFlow({
    version,
    script: "client_groups",
    url: target.url,
    args: [name],
    env: asAdmin(target.url),
  });
  expect(seen).toEqual({
    schedules: [
      "ValueError",
      true,
      "0 3 * * *",
      true,
      false,
      true,
      "EntityExistsError",
      1,
      0,
      // 0.84.0 can change a schedule's name, and 0.98.0 keeps one that was deleted as archived.
      isNew ? "0 4 * * *" : "0 3 * * *",
      isNew ? null : "KeyError",
      "KeyError",
    ],
    services: {
      made: [true, "own", "serves"],
      changed: [{ team: "a" }, "active", "module.Class"],
      listed: [1, 1],
      "by name": true,
      gone: "KeyError",
    },
    builds: {
      images: { orchestrator: "127.0.0.1:9/image:1" },
      stack: "default",
      flags: [false, true, true],
      listed: [1, 0],
      "by stack": true,
      "run's build": true,
      template: "ValueError",
      templates: 0,
      gone: "KeyError",
    },
    visualizations: isNew
      ? [["changed", 3, "half_width"], "EntityExistsError", ["changed"], true, 0]
      : ["html"],
    // What 0.98.0 has taken away is not there for 0.84.0 either.
    events: isNew ? null : ["KeyError", "KeyError", "KeyError", "KeyError"],
    repositories: [`code2-${name}`, "described", { address: "x" }, 1, "KeyError"],
    // A private secret and a shared one may bear one name; without a word the client takes the shared one.
    secrets: ["EntityExistsError", { a: "2" }, { a: "2" }, { b: "4" }, { true: false, false: false }, 0],
  });
});
