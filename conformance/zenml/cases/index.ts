import type { Scenario } from "../requests.ts";
import { accountScenarios } from "./accounts.ts";
import { artifactScenarios } from "./artifacts.ts";
import { deviceScenarios } from "./devices.ts";
import { pipelineScenarios } from "./pipelines.ts";
import { runScenarios } from "./runs.ts";
import { secretScenarios } from "./secrets.ts";
import { serverScenarios } from "./server.ts";
import { serviceAccountScenarios } from "./service-accounts.ts";
import { sharedScenarios } from "./shared.ts";
import { stackScenarios } from "./stacks.ts";

export const scenarios: readonly Scenario[] = [
  // What is set up on the server is asked before there is more.
  ...serverScenarios,
  ...sharedScenarios,
  ...stackScenarios,
  ...secretScenarios,
  ...pipelineScenarios,
  ...artifactScenarios,
  ...runScenarios,
  ...accountScenarios,
  ...serviceAccountScenarios,
  ...deviceScenarios,
];
