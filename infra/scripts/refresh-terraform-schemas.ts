// Writes files of infra/data/terraform again from the providers that are installed, functions.json from Terraform itself:
//   node infra/scripts/refresh-terraform-schemas.ts FOLDER [NAME...]
// FOLDER holds a Terraform configuration after `terraform init` (or with dev_overrides, see infra/data/terraform/README.md)
// that requires the providers; NAME limits it to some of them. With --all, types are written that the file did not have.
//
// `terraform providers schema -json` gives names, types, required, optional, computed, sensitive, write-only, deprecated,
// nesting and numbers of blocks. It does not give what forces a replacement, defaults, what excludes or demands what, allowed
// values and forms: those are kept from the file before for every argument whose type is the same, and are looked up by hand
// in the provider's source for new ones, which are printed.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { providerFile, type Body, type ProviderAnswer, type ProviderFile } from "./provider-schema.ts";

const data = join(import.meta.dirname, "..", "data", "terraform");
const words = process.argv.slice(2);
const [folder, ...names] = words.filter((word) => word !== "--all");
if (folder === undefined) {
  process.stderr.write("usage: refresh-terraform-schemas.ts FOLDER [NAME...] [--all]\n");
  process.exit(2);
}

const terraform = (...args: readonly string[]): unknown =>
  JSON.parse(execFileSync("terraform", args, { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 30 }));

const { provider_schemas: answers } = terraform("providers", "schema", "-json") as {
  provider_schemas: Record<string, ProviderAnswer>;
};
const { provider_selections: versions, terraform_version: own } = terraform("version", "-json") as {
  provider_selections: Record<string, string>;
  terraform_version: string;
};

const { function_signatures: signatures } = terraform("metadata", "functions", "-json") as {
  function_signatures: Record<string, { parameters?: unknown[]; variadic_parameter?: unknown }>;
};
const functions = Object.fromEntries(
  Object.entries(signatures)
    // Each is there a second time under core::.
    .filter(([name]) => !name.includes("::"))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { parameters = [], variadic_parameter: more }]) => [
      name,
      more === undefined ? [parameters.length, parameters.length] : [parameters.length],
    ]),
);
writeFileSync(join(data, "functions.json"), `${JSON.stringify({ version: own, functions })}\n`);

for (const [address, answer] of Object.entries(answers)) {
  const [, namespace = "", name = ""] = address.split("/");
  if (names.length > 0 && !names.includes(name)) continue;
  const path = join(data, `${name}.json`);
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as ProviderFile) : undefined;
  const file = providerFile(answer, {
    provider: before?.provider ?? `${namespace}/${name}`,
    version: address.startsWith("terraform.io/builtin/")
      ? own
      : (versions[address] ?? before?.version ?? "unknown"),
    before,
    selection: before !== undefined && !words.includes("--all"),
  });
  writeFileSync(path, `${JSON.stringify(file)}\n`);
  const added = argumentsOf(file).filter((one) => !argumentsOf(before).includes(one));
  process.stdout.write(`${path}: ${file.provider} ${file.version}\n`);
  for (const one of added) process.stdout.write(`  new, limits unknown: ${one}\n`);
}

/** Every argument by its path. */
function argumentsOf(file: ProviderFile | undefined): string[] {
  const walk = (body: Body, path: string): string[] =>
    Object.entries(body).flatMap(([name, part]) => {
      const here = `${path}.${name}`;
      const inner = part["body"] as Body | undefined;
      return inner === undefined ? [here] : walk(inner, here);
    });
  return [file?.resources, file?.data_sources].flatMap((group) =>
    Object.entries(group ?? {}).flatMap(([type, body]) => walk(body, type)),
  );
}
