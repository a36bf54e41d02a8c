import type { Scenario } from "../requests.ts";
import { accountScenarios } from "./accounts.ts";
import { artifactScenarios } from "./artifacts.ts";
import { deploymentScenarios } from "./deployments.ts";
import { deviceScenarios } from "./devices.ts";
import { hookScenarios } from "./hooks.ts";
import { linkScenarios } from "./links.ts";
import { logScenarios } from "./logs.ts";
import { nameScenarios } from "./names.ts";
import { pipelineScenarios } from "./pipelines.ts";
import { referenceScenarios } from "./references.ts";
import { runScenarios } from "./runs.ts";
import { scheduleScenarios } from "./schedules.ts";
import { secretScenarios } from "./secrets.ts";
import { serverScenarios } from "./server.ts";
import { serviceAccountScenarios } from "./service-accounts.ts";
import { serviceScenarios } from "./services.ts";
import { sharedScenarios } from "./shared.ts";
import { stackScenarios } from "./stacks.ts";
import { templateScenarios } from "./templates.ts";
import { triggerScenarios } from "./triggers.ts";
import { waitScenarios } from "./waits.ts";
import { webhookScenarios } from "./webhooks.ts";

export const scenarios: readonly Scenario[] = [
  // What is set up on the server is asked before there is more.
  ...serverScenarios,
  ...sharedScenarios,
  ...stackScenarios,
  ...secretScenarios,
  ...pipelineScenarios,
  ...artifactScenarios,
  ...runScenarios,
  ...scheduleScenarios,
  ...serviceScenarios,
  ...hookScenarios,
  ...templateScenarios,
  ...triggerScenarios,
  ...waitScenarios,
  ...webhookScenarios,
  ...deploymentScenarios,
  ...referenceScenarios,
  ...linkScenarios,
  ...logScenarios,
  ...nameScenarios,
  ...accountScenarios,
  ...serviceAccountScenarios,
  ...deviceScenarios,
];
