import type { Rule } from "./rule.ts";
import { restRules } from "./rules/rest.ts";
import { secretRules } from "./rules/secrets.ts";
import { zenmlCommandRules } from "./rules/zenml-commands.ts";

/** Every rule of every family, in the order `plinth lint --rules` lists them. */
export const rules: readonly Rule[] = [...zenmlCommandRules, ...restRules, ...secretRules];
