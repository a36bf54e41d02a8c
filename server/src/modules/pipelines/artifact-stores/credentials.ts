import type { Database, Prepared, Row } from "../../../kernel/database.ts";
import type { Secrets } from "../../../kernel/secrets.ts";
import { secretPlace } from "../sealed-columns.ts";
import type { SecretReader } from "../secrets.ts";
import type { ComponentRow } from "../stack-tables.ts";
import { StoreError } from "./store.ts";

export type Configuration = Readonly<Record<string, unknown>>;

/** What a component says of itself, with what it refers to. */
export type Credentials = {
  /** References to secrets are replaced by their values. */
  readonly configuration: Configuration;
  /** The values of its `authentication_secret`. */
  readonly secret: Configuration | undefined;
};

export type CredentialsDeps = { database: Database; secrets: Secrets };

/** `{{name.key}}` */
const REFERENCE = /^\{\{\s*([^\s.]+)\.(\S+?)\s*\}\}$/;

const secretByName: Prepared = {
  name: "pipelines_select_secret_by_name",
  text: `select id, sealed_values from pipelines.secrets
    where name = $1 and (not private or user_id = $2::uuid or ($3::boolean and user_id is null))
    order by private desc limit 1`,
};

/**
 * What a store is read with. Secrets are those that whoever asks may read: with another's private one nothing is read,
 * since who changes a component also says where its credentials go.
 */
export async function credentialsOf(
  { database, secrets }: CredentialsDeps,
  component: ComponentRow,
  reader: SecretReader,
): Promise<Credentials> {
  const known = new Map<string, Configuration>();

  const valuesOf = async (name: string): Promise<Configuration> => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const values = [name, reader.userId, reader.isLocal];
    const [row] = await database.prepared<SealedSecret>(secretByName, values);
    if (row === undefined) {
      throw new StoreError(
        "unsupported",
        `The secret '${name}' that artifact store '${component.name}' names is not there, or is another's own.`,
      );
    }
    const opened = JSON.parse(secrets.open(row.sealed_values, secretPlace(row.id))) as Configuration;
    known.set(name, opened);
    return opened;
  };

  const resolved = async (value: unknown): Promise<unknown> => {
    const [, name, key = ""] = (typeof value === "string" && REFERENCE.exec(value)) || [];
    if (name === undefined) return value;
    const found = (await valuesOf(name))[key];
    if (found !== undefined) return found;
    throw new StoreError("unsupported", `The secret '${name}' holds no value '${key}'.`);
  };

  const configuration: Record<string, unknown> = {};
  const given = JSON.parse(component.configuration_json) as Configuration;
  for (const [name, value] of Object.entries(given)) configuration[name] = await resolved(value);
  const { authentication_secret: secretName } = configuration;
  return {
    configuration,
    secret: typeof secretName === "string" && secretName !== "" ? await valuesOf(secretName) : undefined,
  };
}

type SealedSecret = Row & { id: string; sealed_values: string };

/** A text that says something, or undefined. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** An object, which people also write down as its JSON. */
export function objectOf(value: unknown): Configuration {
  if (typeof value === "string") {
    try {
      return objectOf(JSON.parse(value));
    } catch {
      return {};
    }
  }
  return typeof value === "object" && value !== null ? (value as Configuration) : {};
}
