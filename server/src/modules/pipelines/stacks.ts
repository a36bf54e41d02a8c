import { sql, type RawBuilder } from "kysely";
import { violates } from "../../kernel/database-errors.ts";
import { invalidState } from "../../kernel/errors.ts";
import { noSuch, taken } from "./collection.ts";
import { selectDeployedStack, type DeployedStackRow, type Deployment } from "./deployed-stacks.sql.ts";
import { idFields, userFields, type Comparison, type Fields, type ListQuery, type Page } from "./list.ts";
import { compareColumn, selectPage } from "./list.sql.ts";
import { checkName } from "./names.ts";
import { deleteRow, lockRow, selectRow, updateRow } from "./records.ts";
import { changedSecrets, resolveSecrets, selectSecretOrder } from "./secret-references.ts";
import type { SecretReader } from "./secrets.ts";
import { createStack, type NewStack, type StackCreationDeps } from "./stack-creation.ts";
import { placeMembers, selectMembers } from "./stack-members.ts";
import { stacks, type StackRow } from "./stack-tables.ts";
import { replaceStackMembers, selectStackMembers, type StackMemberRow } from "./stacks.sql.ts";

const LABEL = "stack";

/** What pipelines run on: components that fit together. Unique by name. */
export type Stacks = {
  readonly label: string;
  readonly fields: Fields;
  /** With the components and connectors that it is described with, all or none. See `createStack`. */
  create(given: NewStack): Promise<StackRow>;
  /** Throws `not_found`. */
  get(id: string): Promise<StackRow>;
  search(query: ListQuery, where: readonly RawBuilder<unknown>[]): Promise<Page<StackRow>>;
  /** What is undefined stays. Throws `not_found`, `already_exists`, and `invalid_state` for the default one. */
  update(id: string, changes: StackChanges): Promise<StackRow>;
  /** Its components stay. Throws `invalid_state` for the default one. */
  remove(id: string): Promise<void>;
  /** The newest one that came out of such a deployment. */
  findDeployed(deployment: Deployment): Promise<DeployedStackRow | undefined>;
  membersOf(ids: readonly string[]): Promise<StackMemberRow[]>;
  /** Those of these secrets that are still there, in order. */
  secretOrder(ids: readonly string[]): Promise<string[]>;
};

export type StackChanges = {
  reader: SecretReader;
  name?: string | undefined;
  description?: string | null | undefined;
  stack_spec_path?: string | null | undefined;
  environment?: object | null | undefined;
  labels?: object | null | undefined;
  /** By their ids. */
  components?: readonly string[] | undefined;
  /** Types that the client does not know: what the stack has of them stays. */
  hiddenTypes: ReadonlySet<string>;
  addSecrets: readonly string[];
  removeSecrets: readonly string[];
};

const holds = (condition: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`exists (select from pipelines.stack_components as l join pipelines.components as c on c.id = l.component_id
    where l.stack_id = t.id and ${condition})`;

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  description: { kind: "text", sql: "t.description" },
  component_id: {
    kind: "uuid",
    sql: "t.id",
    unordered: true,
    condition: (comparison) => holds(compareColumn(sql.raw("l.component_id"), "uuid", comparison)),
  },
  component: {
    kind: "text",
    sql: "t.id",
    unordered: true,
    condition: (comparison) => holds(sql`(${byNameOrId(comparison)})`),
  },
};

const byNameOrId = (comparison: Comparison): RawBuilder<unknown> =>
  sql`${compareColumn(sql.raw("c.name"), "text", comparison)} or ${compareColumn(sql.raw("c.id"), "uuid", comparison)}`;

export function createStacks(deps: StackCreationDeps): Stacks {
  const { database, clock } = deps;

  const get = async (id: string): Promise<StackRow> => {
    const row = await selectRow(database, stacks, id);
    if (row === undefined) throw noSuch(LABEL, id);
    return row;
  };

  return {
    label: LABEL,
    fields,
    get,
    async create(given) {
      await createStack(deps, given);
      return get(given.id);
    },
    search: (query, where) => selectPage(database, { table: stacks, fields, query, where }),
    async update(id, changes) {
      const add = await resolveSecrets(database, changes.addSecrets, changes.reader);
      const remove = await resolveSecrets(database, changes.removeSecrets, changes.reader);
      const { name, labels, environment, description, stack_spec_path } = changes;
      if (name !== undefined) checkName(name, LABEL);
      const work = database.transaction(async (transaction) => {
        const row = await lockRow(transaction, stacks, id);
        if (row === undefined) throw noSuch(LABEL, id);
        if (isDefault(row)) throw invalidState("The default stack cannot be modified.");
        if (changes.components !== undefined) {
          const before = await selectStackMembers(transaction, [id]);
          const kept = before.filter(({ type }) => changes.hiddenTypes.has(type));
          const members = await selectMembers(transaction, changes.components);
          await replaceStackMembers(transaction, id, placeMembers([...members, ...kept]));
        }
        const changed = await updateRow(transaction, stacks, id, {
          ...(name === undefined ? {} : { name }),
          ...(description === undefined ? {} : { description }),
          ...(stack_spec_path === undefined ? {} : { stack_spec_path }),
          ...(environment === undefined ? {} : { environment_json: JSON.stringify(environment ?? {}) }),
          ...(labels === undefined ? {} : { labels_json: labels && JSON.stringify(labels) }),
          secrets: changedSecrets(row.secrets, { add, remove }),
          updated: clock(),
        });
        return changed ?? row;
      });
      return work.catch((error: unknown) => {
        if (violates(error, "stacks_name_key")) throw taken("update", LABEL, name ?? "");
        throw error;
      });
    },
    async remove(id) {
      await database.transaction(async (transaction) => {
        const row = await lockRow(transaction, stacks, id);
        if (row === undefined) throw noSuch(LABEL, id);
        if (isDefault(row)) throw invalidState("The default stack cannot be deleted.");
        await deleteRow(transaction, stacks, id);
      });
    },
    findDeployed: (deployment) => selectDeployedStack(database, deployment),
    membersOf: (ids) => selectStackMembers(database, ids),
    secretOrder: (ids) => selectSecretOrder(database, ids),
  };
}

/** The one that every server has; no other can have its name. */
export const DEFAULT_STACK = "default";

const isDefault = ({ name }: StackRow): boolean => name === DEFAULT_STACK;
