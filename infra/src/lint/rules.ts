import type { Rule } from "./rule.ts";

/** Every rule of every family, in the order `plinth lint --rules` lists them. */
export const rules: readonly Rule[] = [];
