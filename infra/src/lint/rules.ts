import type { Rule } from "./rule.ts";
import { commandRules } from "./rules/commands.ts";
import { imageRules } from "./rules/images.ts";
import { platformRules } from "./rules/platform-rules.ts";
import { proseRules } from "./rules/prose.ts";
import { restRules } from "./rules/rest.ts";
import { secretRules } from "./rules/secrets.ts";
import { syntaxRules } from "./rules/syntax.ts";
import { terraformCivoRules } from "./rules/terraform-civo.ts";
import { terraformGoogleAccessRules } from "./rules/terraform-google-access.ts";
import { terraformGoogleRules } from "./rules/terraform-google.ts";
import { terraformOrderRules } from "./rules/terraform-order.ts";
import { terraformRegionRules } from "./rules/terraform-regions.ts";
import { terraformSchemaRules } from "./rules/terraform-schema.ts";
import { terraformSecretRules } from "./rules/terraform-secrets.ts";
import { terraformZenmlStackRules } from "./rules/terraform-zenml-stacks.ts";
import { terraformZenmlRules } from "./rules/terraform-zenml.ts";
import { versionRules } from "./rules/versions.ts";
import { zenmlCommandRules } from "./rules/zenml-commands.ts";

/** Every rule of every family, in the order `plinth lint --rules` lists them. */
export const rules: readonly Rule[] = [
  ...syntaxRules,
  ...terraformSchemaRules,
  ...terraformOrderRules,
  ...terraformSecretRules,
  ...terraformCivoRules,
  ...terraformGoogleRules,
  ...terraformGoogleAccessRules,
  ...terraformRegionRules,
  ...terraformZenmlRules,
  ...terraformZenmlStackRules,
  ...platformRules,
  ...secretRules,
  ...imageRules,
  ...versionRules,
  ...commandRules,
  ...zenmlCommandRules,
  ...restRules,
  ...proseRules,
];
