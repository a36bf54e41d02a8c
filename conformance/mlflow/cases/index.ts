import type { Scenario } from "../scenario.ts";
import { artifacts } from "./artifacts.ts";
import { experimentSearch } from "./experiment-search.ts";
import { experiments } from "./experiments.ts";
import { inputs } from "./inputs.ts";
import { loggedModels } from "./logged-models.ts";
import { metrics } from "./metrics.ts";
import { modelSources } from "./model-sources.ts";
import { modelStages } from "./model-stages.ts";
import { modelVersions } from "./model-versions.ts";
import { params } from "./params.ts";
import { registeredModels } from "./registered-models.ts";
import { registryFields } from "./registry-fields.ts";
import { registrySearch } from "./registry-search.ts";
import { runSearch } from "./run-search.ts";
import { runs } from "./runs.ts";
import { webInterface } from "./web-interface.ts";
import { webhooks } from "./webhooks.ts";
import { wire } from "./wire.ts";

export const scenarios: readonly Scenario[] = [
  ...experiments,
  ...experimentSearch,
  ...runs,
  ...metrics,
  ...params,
  ...runSearch,
  ...inputs,
  ...loggedModels,
  ...registeredModels,
  ...modelVersions,
  ...modelStages,
  ...modelSources,
  ...registrySearch,
  ...registryFields,
  ...webhooks,
  ...webInterface,
  ...artifacts,
  ...wire,
];
