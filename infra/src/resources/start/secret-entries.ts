import type { Plan, SecretInput } from "../../plan.ts";
import { scopeOf } from "../gcp/scope.ts";
import { secretCommands } from "../gcp/secrets.ts";

/** An entry of the secret store that a person fills, with the commands that do. */
export type SecretEntry = { title: string; commands: readonly string[] };

/** Entries that neither Terraform nor a script makes. */
export function secretEntries(plan: Plan): SecretEntry[] {
  const { secrets } = plan.environment;
  if (secrets.engine !== "external-secrets") return [];
  if (secrets.store.kind === "existing") return ofExistingStore(plan, secrets.store.name);
  const scope = scopeOf(plan);
  if (scope === undefined) return [];
  return Object.entries(secretCommands(scope)).map(([entry, command]) => ({
    title: describe(inputsOf(plan), entry),
    commands: [command],
  }));
}

const inputsOf = ({ secrets }: Plan): SecretInput[] =>
  secrets.filter(({ writer }) => writer === "secrets").flatMap(({ inputs }) => Object.values(inputs));

const describe = (inputs: readonly SecretInput[], entry: string): string =>
  [...new Set(inputs.filter((input) => input.entry === entry).map(({ what }) => what))]
    .map((what, at) => (at === 0 ? `${what.charAt(0).toUpperCase()}${what.slice(1)}` : what))
    .join(", ");

/** A store of the cluster's owner: what it is, only they know, so this says what is to be in it. */
function ofExistingStore(plan: Plan, store: string): SecretEntry[] {
  const values = inputsOf(plan);
  const entries = [...new Set(values.map(({ entry }) => entry))].sort();
  return entries.map((entry) => {
    const of = values.filter((value) => value.entry === entry);
    const properties = [...new Set(of.map(({ property }) => property).filter((name) => name !== undefined))];
    const form =
      properties.length === 0 ? sample(of[0]) : `# a JSON object with ${properties.sort().join(" and ")}`;
    return { title: `${describe(values, entry)}: the entry \`${entry}\` of \`${store}\``, commands: [form] };
  });
}

const sample = (input: SecretInput | undefined): string => {
  if (input?.origin !== "generated") return "# the value itself";
  if (input.shape === "key") return "openssl rand -hex 32";
  return input.shape === "name"
    ? "LC_ALL=C tr -dc 'a-z' </dev/urandom | head -c 20"
    : "LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 40";
};
