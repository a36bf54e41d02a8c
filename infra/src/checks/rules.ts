import type { SpecRule } from "./check.ts";

/** All rules over the settings of an environment. */
export const specRules: readonly SpecRule[] = [];
