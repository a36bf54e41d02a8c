import type { Prepared, Row } from "../../kernel/database.ts";
import { alreadyExists } from "../../kernel/errors.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import {
  components,
  findRow,
  flavors,
  insertRows,
  secretPlace,
  secrets,
  stackComponents,
  stacks,
  tags,
  type ComponentRow,
  type NewRow,
} from "../../modules/pipelines/index.ts";
import { loadConnectors } from "./connectors.ts";
import {
  fieldOf,
  flagOf,
  idOf,
  jsonOf,
  namedEntitiesOf,
  objectJsonOf,
  recordOf,
  stampsOf,
  textOf,
  userOf,
  type Entity,
} from "./entity.ts";
import type { Mapping } from "./mapping.ts";
import { put, type Writer } from "./writer.ts";

export type SharedWriter = Writer & { readonly secrets: Secrets };

/**
 * What belongs to no project. What has the same name and says the same in both is one thing, and what both have of
 * their own accord (the default stack, built-in flavors) too; another thing of the same name is in the way.
 */
export async function loadShared(writer: SharedWriter, mapping: Mapping): Promise<Record<string, number>> {
  return {
    users: await loadUsers(writer, mapping),
    tags: await loadTags(writer, mapping),
    secrets: await loadSecrets(writer, mapping),
    connectors: await loadConnectors(writer, mapping),
    flavors: await loadFlavors(writer, mapping),
    components: await loadComponents(writer, mapping),
    stacks: await loadStacks(writer, mapping),
  };
}

const everyPage = async (
  writer: Writer,
  path: string,
  take: (items: readonly Entity[]) => Promise<void>,
): Promise<number> => {
  let done = 0;
  for await (const { items, total } of writer.source.pages(path)) {
    writer.goOn();
    await take(items);
    done += items.length;
    writer.progress(path.slice(1), done, total);
  }
  return done;
};

const putUsersText: Prepared = {
  name: "zenml_import_put_users",
  text: `
    with given as (
      select * from json_to_recordset($1::json)
        as r (uuid uuid, kind text, name text, full_name text, email text, description text, created bigint)
    ), added as (
      insert into identity.principals
        (uuid, kind, name, full_name, email, description, active, creation_timestamp, last_updated_timestamp)
      select uuid, kind, name, full_name, email, description, false, created, created from given
      on conflict do nothing returning uuid, name
    )
    select g.uuid as source, coalesce(a.uuid, p.uuid) as own from given as g
      left join added as a on a.name = g.name left join identity.principals as p on p.name = g.name`,
};

/** Users of names that are unknown here come without a password and inactive: they own what they made, and log in to nothing. */
async function loadUsers(writer: Writer, mapping: Mapping): Promise<number> {
  const load = (kind: "user" | "service_account") => async (items: readonly Entity[]) => {
    const given = items.map((one) => ({
      uuid: one.id,
      kind,
      name: one.name ?? one.id,
      full_name: textOf(one, "full_name"),
      email: textOf(one, "email"),
      description: textOf(one, "description"),
      created: Math.floor(stampsOf(one).created / 1000),
    }));
    const rows = await writer.transaction.prepared<{ source: string; own: string | null } & Row>(
      putUsersText,
      [JSON.stringify(given)],
    );
    for (const { source, own } of rows) if (own !== null) mapping.users.put(source, own);
  };
  const users = await everyPage(writer, "/users", load("user"));
  return users + (await everyPage(writer, "/service_accounts", load("service_account")));
}

/** A tag is its name: one that is here is the same. */
const loadTags = async (writer: Writer, mapping: Mapping): Promise<number> =>
  everyPage(writer, "/tags", async (items) => {
    for (const one of items) {
      const name = one.name ?? "";
      const there = await findRow(writer.transaction, tags, { name });
      if (there === undefined) {
        await put(writer, tags, [
          {
            id: one.id,
            user_id: mapping.users.get(userOf(one)),
            name,
            color: textOf(one, "color") ?? "grey",
            exclusive: flagOf(one, "exclusive"),
            ...stampsOf(one),
          },
        ]);
      }
      mapping.tags.put(one.id, there?.id ?? one.id);
    }
  });

/** With their values, as far as the credentials show them. */
const loadSecrets = async (writer: SharedWriter, mapping: Mapping): Promise<number> =>
  everyPage(writer, "/secrets", async (items) => {
    for (const listed of items) {
      const one = await writer.source.get(`/secrets/${listed.id}`);
      const values = recordOf(one, "values");
      await put(writer, secrets, [
        {
          id: one.id,
          user_id: mapping.users.get(userOf(one)),
          name: one.name ?? "",
          private: flagOf(one, "private") || textOf(one, "scope") === "user",
          sealed_values: writer.secrets.seal(JSON.stringify(values), secretPlace(one.id)),
          ...stampsOf(one),
        },
      ]);
      mapping.secrets.put(one.id, one.id);
    }
  });

/** Built-in ones are here already. */
const loadFlavors = async (writer: Writer, mapping: Mapping): Promise<number> =>
  everyPage(writer, "/flavors", async (items) => {
    const custom = items.filter((one) => fieldOf(one, "is_custom") === true);
    await put(
      writer,
      flavors,
      custom.map((one) => ({
        id: one.id,
        user_id: mapping.users.get(userOf(one)),
        name: one.name ?? "",
        type: textOf(one, "type") ?? "",
        display_name: textOf(one, "display_name") ?? one.name ?? "",
        integration: textOf(one, "integration"),
        source: textOf(one, "source") ?? "",
        config_schema_json: objectJsonOf(one, "config_schema"),
        connector_type: textOf(one, "connector_type"),
        connector_resource_type: textOf(one, "connector_resource_type"),
        connector_resource_id_attr: textOf(one, "connector_resource_id_attr"),
        logo_url: textOf(one, "logo_url"),
        docs_url: textOf(one, "docs_url"),
        sdk_docs_url: textOf(one, "sdk_docs_url"),
        is_custom: true,
        ...stampsOf(one),
      })),
    );
  });

const loadComponents = async (writer: Writer, mapping: Mapping): Promise<number> =>
  everyPage(writer, "/components", async (items) => {
    for (const one of items) {
      const row: NewRow<typeof components> & { name: string; type: string; flavor_name: string } = {
        id: one.id,
        user_id: mapping.users.get(userOf(one)),
        name: one.name ?? "",
        type: textOf(one, "type") ?? "",
        flavor_name: textOf(one, "flavor_name") ?? "",
        configuration_json: objectJsonOf(one, "configuration"),
        environment_json: objectJsonOf(one, "environment"),
        secrets: secretsOf(one, mapping),
        labels_json: jsonOf(one, "labels"),
        connector_id: mapping.connectors.get(idOf(one, "connector")),
        connector_resource_id: textOf(one, "connector_resource_id"),
        ...stampsOf(one),
      };
      const there = await findRow(writer.transaction, components, { name: row.name, type: row.type });
      if (there !== undefined && there.id !== one.id && !isSame(there, row)) {
        throw inTheWay("component", `${row.type} ${row.name}`);
      }
      if (there === undefined) await put(writer, components, [row]);
      mapping.components.put(one.id, there?.id ?? one.id);
    }
  });

/** Those that both servers make of their own accord are called so, whatever is in them. */
const DEFAULT = "default";

const isSame = (
  there: ComponentRow,
  row: { name: string; flavor_name: string; configuration_json?: string },
): boolean =>
  row.name === DEFAULT ||
  (there.flavor_name === row.flavor_name && there.configuration_json === row.configuration_json);

const secretsOf = (one: Entity, mapping: Mapping): string[] => {
  const ids = fieldOf(one, "secrets");
  return Array.isArray(ids) ? ids.flatMap((id) => mapping.secrets.get(String(id)) ?? []) : [];
};

const loadStacks = async (writer: Writer, mapping: Mapping): Promise<number> =>
  everyPage(writer, "/stacks", async (items) => {
    for (const one of items) {
      const name = one.name ?? "";
      const there = await findRow(writer.transaction, stacks, { name });
      if (there !== undefined && there.id !== one.id && name !== DEFAULT) throw inTheWay("stack", name);
      mapping.stacks.put(one.id, there?.id ?? one.id);
      if (there !== undefined) continue;
      await put(writer, stacks, [
        {
          id: one.id,
          user_id: mapping.users.get(userOf(one)),
          name,
          description: textOf(one, "description"),
          stack_spec_path: textOf(one, "stack_spec_path"),
          environment_json: objectJsonOf(one, "environment"),
          secrets: secretsOf(one, mapping),
          labels_json: jsonOf(one, "labels"),
          ...stampsOf(one),
        },
      ]);
      const links = namedEntitiesOf(one, "components").flatMap(([, parts]) =>
        parts.flatMap((part, position) => {
          const id = mapping.components.get(part.id);
          return id === null ? [] : [{ stack_id: one.id, component_id: id, position }];
        }),
      );
      await insertRows(writer.transaction, stackComponents, links);
    }
  });

const inTheWay = (kind: string, name: string): Error =>
  alreadyExists(
    `Plinth has a ${kind} '${name}' already, which says something else than the source's. Rename or delete one of the ` +
      "two. Nothing was brought over.",
  );
