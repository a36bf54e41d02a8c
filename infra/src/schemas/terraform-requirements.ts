import { keyOf, valueOf } from "../hcl/value.ts";
import { nearest } from "./nearest.ts";
import { blocksOf, type ModuleIndex } from "./terraform-index.ts";
import type { TerraformProblem } from "./terraform-problem.ts";
import { providerOf, providerSchema } from "./terraform-providers.ts";

const settings = ["source", "version", "configuration_aliases"];

/**
 * Checks where providers come from. One that is not named in required_providers is looked for under hashicorp/, where only
 * HashiCorp's own are.
 */
export function requirements(index: ModuleIndex): TerraformProblem[] {
  if (index.module.excerpt) return [];
  const problems: TerraformProblem[] = [];
  const named = new Set<string>();
  for (const { file, body } of index.module.files)
    for (const required of blocksOf(body, "terraform").flatMap(({ body }) =>
      blocksOf(body, "required_providers"),
    ))
      for (const { name, value, line } of required.body.attributes) {
        const entry = entryProblem(name, value);
        named.add(name);
        if (entry !== undefined) problems.push({ file, line, ...entry });
      }
  // A module that names no provider at all may be one of whose files only some are looked at.
  if (named.size === 0) return problems;
  const reported = new Set<string>();
  for (const { address, file, line } of index.objects.values()) {
    const [first = "", second = ""] = address.split(".");
    const name = providerOf(first === "data" || first === "ephemeral" ? second : first);
    const known = providerSchema(name);
    if (known === undefined || isOwn(known.provider) || named.has(name) || reported.has(name)) continue;
    reported.add(name);
    problems.push({
      kind: "provider-source",
      file,
      line,
      message: `The provider ${name} is used and not required: \`terraform init\` looks for hashicorp/${name}, which does not exist.`,
      remedy: `Add ${name} = { source = "${known.provider}", version = "~> ${known.version}" } to required_providers of this module.`,
    });
  }
  return problems;
}

const isOwn = (provider: string): boolean => /^(?:hashicorp|builtin)\//.test(provider);

type Problem = Pick<TerraformProblem, "kind" | "message" | "remedy">;

function entryProblem(name: string, value: Parameters<typeof valueOf>[0]): Problem | undefined {
  const known = providerSchema(name);
  if (value.kind === "object")
    for (const { key } of value.items) {
      const setting = keyOf(key);
      if (settings.includes(setting)) continue;
      const guess = nearest(setting, settings);
      return {
        kind: "unknown-argument",
        message: `required_providers: ${name} has no setting "${setting}".`,
        remedy: guess === undefined ? `It has: ${settings.join(", ")}.` : `Did you mean "${guess}"?`,
      };
    }
  const told = valueOf(value);
  const source =
    typeof told === "object" && told !== null && "source" in told ? told.source : `hashicorp/${name}`;
  if (known === undefined || isOwn(known.provider) || source !== `hashicorp/${name}`) return undefined;
  return {
    kind: "provider-source",
    message: `required_providers: ${name} does not come from hashicorp/${name}, which does not exist.`,
    remedy: `Set source = "${known.provider}".`,
  };
}
