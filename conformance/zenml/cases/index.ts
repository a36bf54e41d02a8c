import type { Scenario } from "../requests.ts";
import { artifactScenarios } from "./artifacts.ts";
import { pipelineScenarios } from "./pipelines.ts";
import { runScenarios } from "./runs.ts";
import { secretScenarios } from "./secrets.ts";
import { sharedScenarios } from "./shared.ts";
import { stackScenarios } from "./stacks.ts";

export const scenarios: readonly Scenario[] = [
  ...sharedScenarios,
  ...stackScenarios,
  ...secretScenarios,
  ...pipelineScenarios,
  ...artifactScenarios,
  ...runScenarios,
];
