import { sql, type RawBuilder } from "kysely";
import type { Database, Queryable } from "../../kernel/database.ts";
import { isForeignKeyViolation, violates } from "../../kernel/database-errors.ts";
import { alreadyExists, invalidParameter, invalidState, PlinthError } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { noSuch } from "./collection.ts";
import { checkConfiguration, refusalText, type Configuration } from "./component-configuration.ts";
import { countManagedDeployments, countStacksOf } from "./components.sql.ts";
import { selectFlavor } from "./flavors.ts";
import { idFields, userFields, type Fields, type ListQuery, type Page } from "./list.ts";
import { compareColumn, selectPage } from "./list.sql.ts";
import { checkName } from "./names.ts";
import { deleteRow, insertRow, lockRow, selectRow, updateRow } from "./records.ts";
import { changedSecrets, resolveSecrets, selectSecretOrder } from "./secret-references.ts";
import type { SecretReader } from "./secrets.ts";
import { components, serviceConnectors, type ComponentRow, type FlavorRow } from "./stack-tables.ts";

const LABEL = "stack component";

/** What makes up stacks, such as an orchestrator or an artifact store. Unique by type and name. */
export type Components = {
  readonly label: string;
  readonly fields: Fields;
  /** Throws `not_found` for what it refers to, `already_exists`, `invalid_parameter` and `InvalidConfiguration`. */
  create(given: NewComponent): Promise<ComponentRow>;
  /** Throws `not_found`. */
  get(id: string): Promise<ComponentRow>;
  search(query: ListQuery, where: readonly RawBuilder<unknown>[]): Promise<Page<ComponentRow>>;
  /** What is undefined stays, but for the connector. Throws as `create` does, and `invalid_state` for a default one. */
  update(id: string, changes: ComponentChanges): Promise<ComponentRow>;
  /** Throws `invalid_state` where a stack needs it, or deployments do. */
  remove(id: string): Promise<void>;
  /** Those of these secrets that are still there, in order. */
  secretOrder(ids: readonly string[]): Promise<string[]>;
};

export type NewComponent = {
  id: string;
  user_id: string | null;
  name: string;
  type: string;
  flavor: string;
  configuration: Configuration;
  environment: object | null;
  labels: object | null;
  /** By name or id, as the reader sees them. */
  secrets: readonly string[];
  reader: SecretReader;
  connector: string | null;
  connector_resource_id: string | null;
};

export type ComponentChanges = {
  reader: SecretReader;
  name?: string | undefined;
  configuration?: Configuration | undefined;
  environment?: object | null | undefined;
  labels?: object | null | undefined;
  addSecrets: readonly string[];
  removeSecrets: readonly string[];
  /** None takes it away, together with the resource. */
  connector: string | null;
  connector_resource_id: string | null;
};

/** A configuration whose values do not fit its flavor. */
export class InvalidConfiguration extends PlinthError {
  constructor(message: string) {
    super("invalid_parameter", message);
  }
}

const inStack = (column: string) => (comparison: Parameters<typeof compareColumn>[2]) =>
  sql`exists (select from pipelines.stack_components as l where l.component_id = t.id
    and ${compareColumn(sql.raw(column), "uuid", comparison)})`;

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  type: { kind: "text", sql: "t.type" },
  scope_type: { kind: "text", sql: "t.type", unordered: true },
  flavor: { kind: "text", sql: "t.flavor_name" },
  connector_id: { kind: "uuid", sql: "t.connector_id" },
  stack_id: { kind: "uuid", sql: "t.id", unordered: true, condition: inStack("l.stack_id") },
};

export function createComponents({ database, clock }: { database: Database; clock(): Micros }): Components {
  const get = async (id: string): Promise<ComponentRow> => {
    const row = await selectRow(database, components, id);
    if (row === undefined) throw noSuch(LABEL, id);
    return row;
  };

  return {
    label: LABEL,
    fields,
    get,
    async create(given) {
      checkName(given.name, LABEL);
      const known = await selectRow(database, components, given.id);
      if (known !== undefined) return known;
      if (given.connector !== null) await requireConnector(database, given.connector);
      const secrets = await resolveSecrets(database, given.secrets, given.reader);
      const flavor = await selectFlavor(database, { type: given.type, name: given.flavor });
      await insertComponent(database, { ...given, secrets }, { flavor, now: clock() });
      return get(given.id);
    },
    search: (query, where) => selectPage(database, { table: components, fields, query, where }),
    async update(id, changes) {
      const add = await resolveSecrets(database, changes.addSecrets, changes.reader);
      const remove = await resolveSecrets(database, changes.removeSecrets, changes.reader);
      if (changes.connector !== null) await requireConnector(database, changes.connector);
      return database.transaction(async (transaction) => {
        const row = await lockRow(transaction, components, id);
        if (row === undefined) throw noSuch(LABEL, id);
        if (isDefaultComponent(row)) throw invalidState(`The default ${row.type} cannot be modified.`);
        if (changes.name !== undefined) checkName(changes.name, LABEL);
        const configured = changes.configuration && {
          configuration_json: await readAgain(transaction, row, changes.configuration),
        };
        try {
          const changed = await updateRow(transaction, components, id, {
            ...configured,
            ...(changes.name === undefined ? {} : { name: changes.name }),
            ...(changes.environment === undefined
              ? {}
              : { environment_json: textOf(changes.environment) ?? "{}" }),
            ...(changes.labels === undefined ? {} : { labels_json: textOf(changes.labels) }),
            secrets: changedSecrets(row.secrets, { add, remove }),
            connector_id: changes.connector,
            connector_resource_id: changes.connector === null ? null : changes.connector_resource_id,
            updated: clock(),
          });
          return changed ?? row;
        } catch (error) {
          throw explained(error, {
            name: changes.name ?? row.name,
            type: row.type,
            connector: changes.connector,
          });
        }
      });
    },
    async remove(id) {
      await database
        .transaction(async (transaction) => {
          const row = await lockRow(transaction, components, id);
          if (row === undefined) throw noSuch(LABEL, id);
          if (isDefaultComponent(row)) throw invalidState(`The default ${row.type} cannot be deleted.`);
          const managed = row.type === "deployer" ? await countManagedDeployments(transaction, id) : 0;
          if (managed > 0) {
            throw invalidState(
              `The deployer '${row.name}' cannot be deleted because it still manages ${managed} deployments: deprovision or delete them first.`,
            );
          }
          const stacks = await countStacksOf(transaction, id);
          if (stacks > 0) {
            throw invalidState(
              `Stack Component \`${row.name}\` of type \`${row.type}\` cannot be deleted as it is part of ${stacks} stacks. Remove it from all stacks first.`,
            );
          }
          await deleteRow(transaction, components, id);
        })
        .catch((error: unknown) => {
          // A stack that took it meanwhile.
          throw isForeignKeyViolation(error)
            ? invalidState("A stack needs this component: remove it there first.")
            : error;
        });
    },
    secretOrder: (ids) => selectSecretOrder(database, ids),
  };
}

type Ready = Omit<NewComponent, "flavor" | "reader">;

/** The component, if its configuration fits its flavor. Throws as `Components.create` does. */
export async function insertComponent(
  database: Queryable,
  given: Ready,
  { flavor, now }: { flavor: FlavorRow; now: Micros },
): Promise<void> {
  try {
    await insertRow(database, components, {
      id: given.id,
      user_id: given.user_id,
      name: given.name,
      type: given.type,
      flavor_name: flavor.name,
      configuration_json: JSON.stringify(fitting(flavor, given.configuration)),
      environment_json: textOf(given.environment) ?? "{}",
      secrets: [...given.secrets],
      labels_json: textOf(given.labels),
      connector_id: given.connector,
      connector_resource_id: given.connector_resource_id,
      created: now,
      updated: now,
    });
  } catch (error) {
    throw explained(error, given);
  }
}

/** The configuration as it is kept. Throws `invalid_parameter` and `InvalidConfiguration`. */
export function fitting(flavor: FlavorRow, given: Configuration, existing?: Configuration): Configuration {
  const checked = checkConfiguration(flavor, given, existing);
  if (!("refusal" in checked)) return checked.configuration;
  const text = refusalText(flavor, checked.refusal);
  throw checked.refusal.kind === "values" ? new InvalidConfiguration(text) : invalidParameter(text);
}

async function readAgain(transaction: Queryable, row: ComponentRow, given: Configuration): Promise<string> {
  const flavor = await selectFlavor(transaction, { type: row.type, name: row.flavor_name });
  const existing = JSON.parse(row.configuration_json) as Configuration;
  return JSON.stringify(fitting(flavor, given, existing));
}

export async function requireConnector(database: Queryable, id: string): Promise<void> {
  if ((await selectRow(database, serviceConnectors, id)) === undefined) {
    throw noSuch("service connector", id);
  }
}

/** Those that every server has; no others can have their names. */
export const isDefaultComponent = ({ name, type }: ComponentRow): boolean =>
  name === "default" && (type === "orchestrator" || type === "artifact_store");

/** The same, over the alias `t`. */
export const defaultComponents = sql`t.name = 'default' and t.type in ('orchestrator', 'artifact_store')`;

const textOf = (value: object | null): string | null => (value === null ? null : JSON.stringify(value));

function explained(
  error: unknown,
  { name, type, connector }: { name: string; type: string; connector: string | null },
): unknown {
  if (violates(error, "components_name_key")) {
    return alreadyExists(
      `Unable to register '${type}' component with name '${name}': Found an existing component with the same name and type.`,
    );
  }
  if (violates(error, "components_connector_id_fkey")) return noSuch("service connector", connector ?? "");
  return error;
}
