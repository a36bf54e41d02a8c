import type { SpecRule } from "./check.ts";
import { componentRules } from "./components.ts";
import { gcpRules } from "./gcp.ts";
import { platformRules } from "./platform.ts";

/** All rules over the settings of an environment. */
export const specRules: readonly SpecRule[] = [...componentRules, ...gcpRules, ...platformRules];
