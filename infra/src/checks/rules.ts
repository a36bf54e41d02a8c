import type { SpecRule } from "./check.ts";
import { civoRules } from "./civo.ts";
import { componentRules } from "./components.ts";
import { gcpRules } from "./gcp.ts";
import { platformRules } from "./platform.ts";
import { stackRules } from "./stacks.ts";
import { stateBackendRules } from "./state-backend.ts";

/** All rules over the settings of an environment. */
export const specRules: readonly SpecRule[] = [
  ...componentRules,
  ...civoRules,
  ...gcpRules,
  ...platformRules,
  ...stackRules,
  ...stateBackendRules,
];
