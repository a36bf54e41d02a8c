import { secretReaderAccount } from "../../names.ts";
import type { SecretInput } from "../../plan.ts";
import { ref, template, type Reason } from "../resource.ts";
import {
  readBlock,
  resourceBlock,
  type Block,
  type ModuleInput,
  type ModuleOutput,
} from "../terraform-module.ts";
import { because, type Scope } from "./scope.ts";

/** Entries of Secret Manager: made here, read by External Secrets in the namespaces that need them. */

export type Entry = {
  /** Its name in Secret Manager. */
  name: string;
  /** Name of its blocks. */
  id: string;
  what: string;
  origin: "generated" | "cloud" | "given";
  shape: SecretInput["shape"];
  /** Values within the entry that a person gives, by their key. */
  properties: readonly string[];
  namespaces: readonly string[];
  reasons: readonly Reason[];
};

/** Project whose Secret Manager holds the entries; undefined where secrets are kept in another way. */
export function secretProject({ environment }: Scope): string | undefined {
  const { secrets } = environment;
  return secrets.engine === "external-secrets" && secrets.store.kind === "gcp-secret-manager"
    ? secrets.store.project
    : undefined;
}

export const keepsSecrets = (scope: Scope): boolean =>
  secretProject(scope) !== undefined && entriesOf(scope).length > 0;

/** Every entry that the Secrets of the platform are made of, once, by name. */
export function entriesOf(scope: Scope): Entry[] {
  const { plan, prefix } = scope;
  const entries = new Map<string, Entry>();
  for (const secret of plan.secrets) {
    if (secret.writer !== "secrets") continue;
    for (const input of Object.values(secret.inputs)) {
      const before = entries.get(input.entry);
      entries.set(input.entry, {
        name: input.entry,
        id: localName(input, prefix),
        what: before?.what ?? input.what,
        origin: input.origin,
        shape: input.shape,
        properties: distinct([
          ...(before?.properties ?? []),
          ...(input.property === undefined ? [] : [input.property]),
        ]),
        namespaces: distinct([...(before?.namespaces ?? []), secret.namespace]),
        reasons: [
          ...(before?.reasons ?? []),
          because("secrets.engine", `Secret ${secret.name}: ${secret.why}.`),
        ],
      });
    }
  }
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

/** Entries that people name get a word in front, so that they cannot meet those that Plinth names. */
const localName = ({ entry, origin }: SecretInput, prefix: string): string => {
  const own = entry.startsWith(`${prefix}-`) ? entry.slice(prefix.length + 1) : entry;
  return (origin === "given" ? `given_${entry}` : own).replaceAll("-", "_");
};

/** Which output of another module holds the value of an entry that the cloud makes. */
const cloudValue = ({ id }: Entry): string => {
  const [, component, what] =
    /^(tracking|zenml)_(database_ca|object_store_id|object_store_secret)$/.exec(id) ?? [];
  return what === "database_ca"
    ? `module.database.${component}_server_ca`
    : `module.storage.${component}_${what === "object_store_id" ? "access_key_id" : "secret_access_key"}`;
};

export const cloudInputs = (scope: Scope): ModuleInput[] =>
  keepsSecrets(scope)
    ? entriesOf(scope)
        .filter(({ origin }) => origin === "cloud")
        .map((entry) => ({
          name: entry.id,
          type: "string",
          description: capital(entry.what),
          value: ref(cloudValue(entry)),
          sensitive: true,
        }))
    : [];

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const secretBlocks = (scope: Scope): Block[] =>
  entriesOf(scope).flatMap((entry) => [
    secretBlock(scope, entry),
    ...(entry.origin === "generated" ? generatedVersion(entry) : []),
    ...(entry.origin === "cloud" ? [cloudVersion(entry)] : []),
    ...entry.namespaces.map((namespace) => readerBlock(entry, namespace)),
  ]);

const addressOf = ({ id }: Entry): string => `google_secret_manager_secret.${id}`;

function secretBlock(scope: Scope, entry: Entry): Block {
  const project = secretProject(scope);
  return resourceBlock(
    addressOf(entry),
    {
      secret_id: entry.name,
      ...(project === scope.target.project ? {} : { project }),
      deletion_protection: !scope.development,
      replication: { auto: {} },
      // Data that is encrypted with a key that is gone is gone too.
      ...(entry.shape === "key" && !scope.development ? { lifecycle: { prevent_destroy: true } } : {}),
    },
    {
      because: entry.reasons,
      comment:
        entry.origin === "given"
          ? `${capital(entry.what)}: given by a person, see the output \`secret_commands\`.`
          : `${capital(entry.what)}.`,
    },
  );
}

/** A value that is in Secret Manager alone: neither in the plan nor in the state. */
function generatedVersion(entry: Entry): Block[] {
  const { id, shape, name, reasons } = entry;
  const [ephemeral, body, value] =
    shape === "key"
      ? [`random_bytes.${id}`, { length: 32 }, "hex"]
      : [
          `random_password.${id}`,
          shape === "name"
            ? { length: 20, special: false, upper: false, numeric: false }
            : { length: 40, special: false },
          "result",
        ];
  return [
    readBlock({ ephemeral }, body, { because: reasons }),
    resourceBlock(
      `google_secret_manager_secret_version.${id}`,
      {
        secret: ref(`${addressOf(entry)}.id`),
        secret_data_wo: ref(`ephemeral.${ephemeral}.${value}`),
        secret_data_wo_version: shape === "key" ? 1 : ref(`lookup(var.secret_versions, "${name}", 1)`),
        // The new value is there before the old one goes.
        ...(shape === "key" ? {} : { lifecycle: { create_before_destroy: true } }),
      },
      {
        because: reasons,
        ...(shape === "key"
          ? {
              notes: {
                secret_data_wo_version:
                  "Never raised: what is encrypted with this key could not be read any more.",
              },
            }
          : {}),
      },
    ),
  ];
}

/** A value that Terraform learns from the cloud. Its number follows the value, so that a new one is written. */
const cloudVersion = (entry: Entry): Block =>
  resourceBlock(
    `google_secret_manager_secret_version.${entry.id}`,
    {
      secret: ref(`${addressOf(entry)}.id`),
      secret_data_wo: ref(`var.${entry.id}`),
      secret_data_wo_version: ref(`parseint(substr(sha256(nonsensitive(var.${entry.id})), 0, 7), 16) + 1`),
      lifecycle: { create_before_destroy: true },
    },
    {
      because: entry.reasons,
      notes: {
        secret_data_wo_version:
          "Follows the value: write-only arguments are sent again only when their number changes.",
      },
    },
  );

const readerBlock = (entry: Entry, namespace: string): Block =>
  resourceBlock(
    `google_secret_manager_secret_iam_member.${entry.id}_${namespace.replaceAll("-", "_")}`,
    {
      secret_id: ref(`${addressOf(entry)}.id`),
      role: "roles/secretmanager.secretAccessor",
      member: template`principal://iam.googleapis.com/projects/${ref("var.project_number")}/locations/global/workloadIdentityPools/${ref("var.workload_pool")}/subject/ns/${namespace}/sa/${secretReaderAccount}`,
    },
    { because: [...entry.reasons, because("target.project", `Read from namespace ${namespace} alone.`)] },
  );

/** The passwords that databases are made with: where they are, and which version. */
export const secretOutputs = (scope: Scope): ModuleOutput[] =>
  (keepsSecrets(scope) ? scope.databases : []).flatMap(({ id }) => [
    {
      name: `${id}_database_password`,
      description: `Entry with the password of the database ${id}`,
      value: ref(`google_secret_manager_secret_version.${id}_database.secret`),
    },
    {
      name: `${id}_database_password_version`,
      description: `Version of the password of the database ${id}`,
      value: ref(`google_secret_manager_secret_version.${id}_database.version`),
    },
  ]);

/** Commands that put the given values in, by entry. They ask for the value, so that no shell history has it. */
export function secretCommands(scope: Scope): Record<string, string> {
  const project = secretProject(scope) ?? "";
  return Object.fromEntries(
    entriesOf(scope)
      .filter(({ origin }) => origin === "given")
      .map(({ name, properties }) => [name, commandOf({ name, project, properties })]),
  );
}

function commandOf({
  name,
  project,
  properties,
}: {
  name: string;
  project: string;
  properties: readonly string[];
}): string {
  const add = `gcloud secrets versions add ${name} --project=${project} --data-file=-`;
  if (properties.length === 1 && properties[0] === "htpasswd") {
    return `jq -Rs '{htpasswd: .}' users.htpasswd | ${add}`;
  }
  const variables = properties.map((property) => property.replaceAll("-", "_"));
  const ask = variables.map((variable, at) => `read -rsp '${properties[at]}: ' ${variable}`).join(" && ");
  const fields = variables.map((variable, at) => `"${properties[at]}": env.${variable}`).join(", ");
  return `${ask} && export ${variables.join(" ")} && jq -n '{${fields}}' | ${add}`;
}
