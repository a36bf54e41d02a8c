import type { Rule } from "./rule.ts";
import { commandRules } from "./rules/commands.ts";
import { helmRules } from "./rules/helm.ts";
import { imageRules } from "./rules/images.ts";
import { kserveRules } from "./rules/kserve.ts";
import { kserveRuntimeRules } from "./rules/kserve-runtimes.ts";
import { kubernetesSchemaRules } from "./rules/kubernetes-schema.ts";
import { proseRules } from "./rules/prose.ts";
import { restRules } from "./rules/rest.ts";
import { secretRules } from "./rules/secrets.ts";
import { syntaxRules } from "./rules/syntax.ts";
import { versionRules } from "./rules/versions.ts";
import { zenmlCommandRules } from "./rules/zenml-commands.ts";

/** Every rule of every family, in the order `plinth lint --rules` lists them. */
export const rules: readonly Rule[] = [
  ...syntaxRules,
  ...kubernetesSchemaRules,
  ...helmRules,
  ...kserveRules,
  ...kserveRuntimeRules,
  ...secretRules,
  ...imageRules,
  ...versionRules,
  ...commandRules,
  ...zenmlCommandRules,
  ...restRules,
  ...proseRules,
];
