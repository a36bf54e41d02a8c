import type { SpecRule } from "./check.ts";
import { engineRules } from "./engines.ts";
import { exposureRules } from "./exposure.ts";
import { productionRules } from "./production.ts";
import { servingRules } from "./serving.ts";
import { sizeRules } from "./sizes.ts";

/** Rules over the components and their state, wherever they run. */
export const componentRules: readonly SpecRule[] = [
  ...engineRules,
  ...exposureRules,
  ...servingRules,
  ...sizeRules,
  ...productionRules,
];
