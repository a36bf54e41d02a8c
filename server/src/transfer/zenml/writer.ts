import type { Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { alreadyExists } from "../../kernel/errors.ts";
import {
  insertRows,
  runMetadata,
  runMetadataResources,
  tagResources,
  type RowOf,
  type Table,
} from "../../modules/pipelines/index.ts";
import { entitiesOf, type Entity } from "./entity.ts";
import { derivedId, metadataRows, type Into } from "./project-rows.ts";
import type { ZenmlSource } from "./source.ts";

/** Where an import writes, and what it tells on the way. */
export type Writer = {
  readonly transaction: Queryable;
  readonly source: ZenmlSource;
  /** So many of a kind are there, of so many. */
  progress(kind: string, done: number, total: number): void;
  /** Throws when the import is to stop. */
  goOn(): void;
};

/** Kinds whose names are unique, by the constraint that says so. */
const nameKeys: Readonly<Record<string, string>> = {
  code_repositories_name_key: "code repository",
  pipelines_name_key: "pipeline",
  schedules_name_key: "schedule",
  snapshots_name_key: "snapshot",
  run_templates_name_key: "run template",
  models_name_key: "model",
  model_versions_name_key: "model version",
  model_versions_number_key: "model version",
  runs_name_key: "run",
  artifacts_name_key: "artifact",
  artifact_versions_version_key: "artifact version",
  flavors_name_key: "flavor",
  components_name_key: "component",
  stacks_name_key: "stack",
  service_connectors_name_key: "service connector",
  secrets_public_name_key: "secret",
  secrets_private_name_key: "secret",
};

/** Rows whose ids are there already are left alone: an earlier import brought them. */
export async function put<T extends Table>(
  { transaction }: Pick<Writer, "transaction">,
  table: T,
  rows: readonly Partial<RowOf<T>>[],
): Promise<number> {
  try {
    return await insertRows(transaction, table, rows);
  } catch (error) {
    const key = Object.keys(nameKeys).find((name) => violates(error, name));
    if (key === undefined) throw error;
    const names = rows.flatMap((row) => ("name" in row && typeof row.name === "string" ? [row.name] : []));
    throw alreadyExists(
      `Plinth has a ${nameKeys[key]} already that has the name of one of these, but is another: ` +
        `${names.slice(0, 20).join(", ")}${names.length > 20 ? ", ..." : ""}. Bring the project over into another one ` +
        "(--project NAME --into OTHER), or rename one of the two. Nothing was brought over.",
    );
  }
}

export type Copied<T extends Table> = {
  /** Of the source's list. */
  path: string;
  parameters?: Readonly<Record<string, string | number | boolean>>;
  table: T;
  row(entity: Entity): Partial<RowOf<T>>;
  /** What tags and metadata call it. */
  tagged?: string;
  described?: string;
  /** After the rows of a page are there. */
  also?(items: readonly Entity[]): Promise<void>;
};

/** Everything of one list of the source, page by page; answers how many there were. */
export async function copy<T extends Table>(writer: Writer, into: Into, kind: Copied<T>): Promise<number> {
  let done = 0;
  for await (const { items, total } of writer.source.pages(kind.path, kind.parameters)) {
    writer.goOn();
    await put(
      writer,
      kind.table,
      items.map((item) => kind.row(item)),
    );
    if (kind.tagged !== undefined) await putTags(writer, into, { items, resourceType: kind.tagged });
    if (kind.described !== undefined) {
      await putMetadata(writer, into, { items, resourceType: kind.described });
    }
    await kind.also?.(items);
    done += items.length;
    writer.progress(kind.path.slice(1), done, total);
  }
  return done;
}

type Of = { items: readonly Entity[]; resourceType: string };

export async function putTags(writer: Writer, { mapping }: Into, { items, resourceType }: Of): Promise<void> {
  const links = items.flatMap((item) =>
    entitiesOf(item, "tags").flatMap((tag, at) => {
      const tagId = mapping.tags.get(tag.id);
      if (tagId === null) return [];
      return [
        {
          id: derivedId("tag", tagId, item.id),
          tag_id: tagId,
          resource_id: item.id,
          resource_type: resourceType,
          // In the order in which they were told.
          created: at + 1,
          updated: at + 1,
        },
      ];
    }),
  );
  await insertRows(writer.transaction, tagResources, links, { linked: true });
}

async function putMetadata(writer: Writer, into: Into, { items, resourceType }: Of): Promise<void> {
  const rows = items.map((item) => metadataRows(item, into, resourceType));
  await put(
    writer,
    runMetadata,
    rows.flatMap(({ values }) => values),
  );
  await insertRows(
    writer.transaction,
    runMetadataResources,
    rows.flatMap(({ links }) => links),
  );
}
