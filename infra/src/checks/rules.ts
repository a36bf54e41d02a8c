import type { SpecRule } from "./check.ts";
import { componentRules } from "./components.ts";
import { gcpRules } from "./gcp.ts";

/** All rules over the settings of an environment. */
export const specRules: readonly SpecRule[] = [...componentRules, ...gcpRules];
