// A test of one Python flow, once for each client version, against one server that this file starts.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clients, type ClientVersion } from "./environment.ts";
import { runFlow, type Observations } from "./python.ts";
import { startPlinth, type Target } from "./target.ts";

export interface FlowTest {
  readonly script: string;
  readonly args?: readonly string[];
  /** Client versions that can do this at all; both unless said. */
  readonly versions?: readonly ClientVersion[];
  /** What the test says about it: name -> assertion on what the flow saw. */
  readonly checks: Readonly<Record<string, (seen: Observations, version: ClientVersion) => void>>;
}

/** Starts one server for the file and stops it in order at the end: an exit code other than 0 fails the file. */
export function plinthOfThisFile(start: () => Promise<Target> = startPlinth): () => Target {
  let target: Target | undefined;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(async () => {
    if (target) expect(await target.stop()).toBe(0);
  });
  return () => {
    if (!target) throw new Error("the server is not there yet");
    return target;
  };
}

export function testFlow(target: () => Target, flow: FlowTest): void {
  for (const version of flow.versions ?? clients) {
    describe(`${flow.script} with mlflow ${version}`, () => {
      let seen: Observations = {};
      beforeAll(async () => {
        seen = await runFlow({ version, script: flow.script, url: target().url, args: flow.args ?? [] });
      });
      for (const [name, check] of Object.entries(flow.checks)) it(name, () => check(seen, version));
    });
  }
}
