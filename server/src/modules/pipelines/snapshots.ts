import type { RawBuilder } from "kysely";
import type { Database, Prepared, Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { alreadyExists, invalidParameter } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { getOrCreateCodeReference } from "./code-references.ts";
import { createCollection, noSuch, type Collection, type CollectionDeps } from "./collection.ts";
import { selectLatestRuns, type LatestRun } from "./latest-runs.sql.ts";
import type { ListQuery, Page } from "./list.ts";
import { selectPage } from "./list.sql.ts";
import {
  builds,
  codeRepositories,
  pipelines,
  runTemplates,
  schedules,
  snapshots,
} from "./pipeline-tables.ts";
import type { SnapshotRow } from "./pipeline-tables.ts";
import type { Project } from "./projects.ts";
import { deleteRow, findRow, insertRow, lockRow, selectRow, updateRow } from "./records.ts";
import { requireReferences } from "./references.ts";
import { runConfigurationsOf, type Runnable } from "./run-configurations.ts";
import { removeWithRuns } from "./removal.sql.ts";
import { snapshotFields, withoutFalse } from "./snapshot-fields.ts";
import { insertSnapshotSteps, selectSnapshotSteps, type ShownStep } from "./snapshot-steps.sql.ts";
import {
  countUnusedSnapshots,
  deleteUnusedSnapshots,
  detachTriggersOfDerived,
  firstPlace,
  lockSnapshotOfName,
  lockUnusedSnapshots,
  selectShownSnapshots,
  selectSources,
  unnameSnapshot,
  type PlaceAmongSnapshots,
  type ShownSnapshotRow,
  type SourceRow,
  type Unused,
} from "./snapshots.sql.ts";
import { stacks } from "./stack-tables.ts";
import { mergeSteps, type GivenStep } from "./snapshot-merging.ts";
import type { JsonObject } from "./step-configuration.ts";
import { attachTags, detachAll, detachTags, type GivenTag } from "./tag-links.ts";
import type { NewRow } from "./table.ts";

export type NewSnapshot = {
  project: Pick<Project, "workspaceId" | "projectId">;
  row: Omit<
    NewRow<typeof snapshots>,
    | "workspace_id"
    | "step_count"
    | "code_reference_id"
    | "pipeline_configuration_json"
    | "created"
    | "updated"
  > & { id: string; user_id: string | null; is_dynamic: boolean };
  /** As `protocols/zenml/configuration.ts` reads it: whole, with a name. */
  configuration: JsonObject & { name: string };
  /** By name, in the client's order. */
  steps: ReadonlyMap<string, GivenStep>;
  codeReference: { codeRepositoryId: string; commit: string; subdirectory: string } | null;
  /** Whether another snapshot of this name gives way. */
  replaces: boolean;
  tags: readonly GivenTag[] | null | undefined;
};

/** `steps` are those that were just written; they are to be read where the snapshot was there already. */
export type CreatedSnapshot = { row: SnapshotRow; steps: ShownStep[] | undefined };

export type SnapshotUpdate = {
  /** False takes the name away. */
  name?: string | false | undefined;
  description?: string | undefined;
  replaces: boolean;
  addTags: readonly GivenTag[] | null | undefined;
  removeTags: readonly string[] | null | undefined;
};

export type Snapshots = Omit<Collection<typeof snapshots>, "create" | "update"> & {
  /**
   * In one transaction, once for a request that is repeated. `ids` are those of what is made besides. Throws
   * `not_found` for what it refers to, `already_exists` for its name, `invalid_parameter` for steps in a circle.
   */
  create(given: NewSnapshot, ids: () => string): Promise<CreatedSnapshot>;
  /** Throws `already_exists`. */
  change(
    id: string,
    update: SnapshotUpdate,
    by: { userId: string | null; ids(): string },
  ): Promise<SnapshotRow>;
  /** A page; what is long of them is there only where it is asked for. */
  searchFor(
    query: ListQuery,
    where: readonly RawBuilder<unknown>[],
    options: { hydrate: boolean },
  ): Promise<Page<SnapshotRow>>;
  /** The one that has a name among those of a pipeline. */
  findNamed(pipelineId: string, name: string): Promise<SnapshotRow | undefined>;
  /** How many old snapshots nothing needs. */
  countUnused(unused: Unused): Promise<number>;
  /** Deletes them, also those that only each other needed; how many there were. */
  prune(unused: Unused): Promise<number>;
  /** All steps, or those of these names, in the client's order. */
  stepsOf(ids: readonly string[], names?: readonly string[]): Promise<ShownStep[]>;
  /** As they are shown everywhere, by id. */
  shownOf(ids: readonly string[]): Promise<ReadonlyMap<string, ShownSnapshotRow>>;
  /** With what templates show of them. */
  sourcesOf(ids: readonly string[]): Promise<ReadonlyMap<string, SourceRow>>;
  /** What can be said when they are run, by id; of those alone whose build is for a stack. */
  runConfigurationsOf(ids: readonly string[]): Promise<ReadonlyMap<string, Runnable>>;
  latestRunsOf(ids: readonly string[]): Promise<ReadonlyMap<string, LatestRun>>;
};

const long: ReadonlySet<string> = new Set<keyof SnapshotRow>([
  "pipeline_configuration_json",
  "client_environment_json",
  "python_packages_json",
  "pipeline_spec_json",
  "source_code",
]);
const shortColumns = (Object.keys(snapshots.columns) as (keyof SnapshotRow)[]).filter(
  (name) => !long.has(name),
);

const LABEL = "pipeline snapshot";
const PRUNED_AT_ONCE = 250;
const FORBIDDEN = /[\t\n\r\v\f]/;

export function createSnapshots(deps: CollectionDeps): Snapshots {
  const { database, clock } = deps;
  const collection = createCollection(deps, { table: snapshots, label: LABEL, fields: snapshotFields });

  return {
    ...collection,
    async create(given, ids) {
      const { row, project } = given;
      requireSnapshotName(row.name);
      // What costs time is done before the transaction holds anything.
      const steps = mergeSteps({ ...given, isDynamic: row.is_dynamic });
      await requireReferences(database, referencesOf(given), { label: LABEL, operation: "created", project });
      const pipelineName = row.name ?? "";
      const codeReferenceId = ids();
      const pipelineId = ids();
      const whole = steps.map((step) => ({ snapshot_id: row.id, ...step }));
      try {
        return await takingName(given.replaces, database, async (transaction) => {
          const there = await selectRow(transaction, snapshots, row.id);
          if (there !== undefined) return { row: there, steps: undefined };
          const now = clock();
          const pipeline =
            row.pipeline_id ?? (await pipelineOfName(transaction, given, { id: pipelineId, now }));
          // The same request may have been answered meanwhile: what it made is not to be replaced.
          if (row.name && given.replaces)
            await releaseName(transaction, { pipeline, name: row.name, now, except: row.id });
          const codeReference =
            given.codeReference &&
            (await getOrCreateCodeReference(
              transaction,
              { id: codeReferenceId, workspaceId: project.workspaceId, ...given.codeReference },
              now,
            ));
          const added = await insertRow(transaction, snapshots, {
            ...row,
            workspace_id: project.workspaceId,
            pipeline_id: pipeline,
            code_reference_id: codeReference,
            step_count: steps.length,
            pipeline_configuration_json: JSON.stringify(given.configuration),
            created: now,
            updated: now,
          });
          if (!added) return { row: await existing(transaction, row.id), steps: undefined };
          await insertSnapshotSteps(transaction, row.id, steps);
          await attachTags(transaction, {
            resourceType: "pipeline_snapshot",
            resourceId: row.id,
            tags: given.tags,
            userId: row.user_id,
            ids,
            now,
          });
          return { row: await existing(transaction, row.id), steps: whole };
        });
      } catch (error) {
        throw nameTaken(error, pipelineName, row.pipeline_id ?? "");
      }
    },
    async change(id, { name, description, replaces, addTags, removeTags }, { userId, ids }) {
      if (typeof name === "string") requireSnapshotName(name);
      let pipelineId = "";
      try {
        return await takingName(replaces, database, async (transaction) => {
          const before = await lockRow(transaction, snapshots, id);
          if (before === undefined) throw noSuch(LABEL, id);
          pipelineId = before.pipeline_id ?? "";
          const now = clock();
          if (typeof name === "string" && replaces) {
            await releaseName(transaction, { pipeline: before.pipeline_id, name, now, except: id });
          }
          const row = await updateRow(transaction, snapshots, id, {
            ...(name === undefined ? {} : { name: name === false ? null : name }),
            ...(description ? { description } : {}),
            updated: now,
          });
          if (row === undefined) throw noSuch(LABEL, id);
          await attachTags(transaction, {
            resourceType: "pipeline_snapshot",
            resourceId: id,
            tags: addTags,
            userId,
            ids,
            now,
          });
          await detachTags(transaction, { resourceId: id, tags: removeTags });
          if (row.name === null) await detachTriggersOfDerived(transaction, id);
          return row;
        });
      } catch (error) {
        throw nameTaken(error, typeof name === "string" ? name : "", pipelineId);
      }
    },
    searchFor: (query, where, { hydrate }) =>
      selectPage(database, {
        table: snapshots,
        fields: snapshotFields,
        query: withoutFalse(query),
        where,
        ...(hydrate ? {} : { columns: shortColumns }),
      }),
    findNamed: (pipelineId, name) => findRow(database, snapshots, { pipeline_id: pipelineId, name }),
    remove: (id) => removeSnapshot(database, id),
    countUnused: (unused) => countUnusedSnapshots(database, unused),
    async prune(unused) {
      let count = 0;
      // Those that were needed by the ones just deleted go with the next pass.
      for (;;) {
        const deleted = await prunePass(database, unused);
        if (deleted === 0) return count;
        count += deleted;
      }
    },
    stepsOf: (ids, names) => selectSnapshotSteps(database, ids, names),
    shownOf: (ids) => selectShownSnapshots(database, ids),
    sourcesOf: (ids) => selectSources(database, ids),
    runConfigurationsOf: (ids) => runConfigurationsOf(database, ids),
    latestRunsOf: (ids) => selectLatestRuns(database, "snapshots", ids),
  };
}

const referencesOf = ({ row, codeReference }: NewSnapshot): Parameters<typeof requireReferences>[1] => [
  { table: stacks, label: "stack", id: row.stack_id },
  { table: pipelines, label: "pipeline", id: row.pipeline_id },
  { table: builds, label: "pipeline build", id: row.build_id },
  { table: schedules, label: "schedule", id: row.schedule_id },
  { table: codeRepositories, label: "code repository", id: codeReference?.codeRepositoryId },
  { table: runTemplates, label: "run template", id: row.template_id },
  { table: snapshots, label: LABEL, id: row.source_snapshot_id },
];

function requireSnapshotName(name: string | null | undefined): void {
  if (typeof name === "string" && FORBIDDEN.test(name)) {
    throw invalidParameter(`The name ${JSON.stringify(name)} of the snapshot holds a tab or a line break.`);
  }
}

function nameTaken(error: unknown, name: string, pipelineId: string): unknown {
  if (!violates(error, "snapshots_name_key")) return error;
  return alreadyExists(
    `Snapshot with name \`${name}\` already exists for pipeline \`${pipelineId}\`. If you want to replace the existing ` +
      "snapshot, set the `replace` flag to `True`.",
  );
}

const pipelineText: Prepared = {
  name: "pipelines_get_or_create_pipeline_of_name",
  text: `
    insert into pipelines.pipelines (id, workspace_id, user_id, name, created, updated)
    values ($1::uuid, $2::integer, $3::uuid, $4::text, $5::bigint, $5::bigint)
    on conflict (workspace_id, name) do update set name = excluded.name returning id`,
};

/** Clients of 0.84 may name no pipeline: then it is the one of the configuration's name, as 0.98 knows none without. */
async function pipelineOfName(
  transaction: Queryable,
  { project, row, configuration }: NewSnapshot,
  { id, now }: { id: string; now: Micros },
): Promise<string> {
  const values = [id, project.workspaceId, row.user_id, configuration.name, now];
  const [found] = await transaction.prepared<{ id: string }>(pipelineText, values);
  if (found === undefined) throw new Error("an insert returned no row");
  return found.id;
}

async function existing(transaction: Queryable, id: string): Promise<SnapshotRow> {
  const row = await selectRow(transaction, snapshots, id);
  if (row === undefined) throw noSuch(LABEL, id);
  return row;
}

const ATTEMPTS = 5;

/** Whoever takes a name at the same time was first: the name passes on from them. */
async function takingName<T>(
  replaces: boolean,
  database: Database,
  work: (transaction: Queryable) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.transaction(work);
    } catch (error) {
      if (!replaces || attempt === ATTEMPTS || !violates(error, "snapshots_name_key")) throw error;
    }
  }
}

type Release = { pipeline: string | null; name: string; now: Micros; except?: string };

/** The snapshot that has the name is deleted where nothing needs it, and goes on without a name where something does. */
async function releaseName(transaction: Queryable, { pipeline, name, now, except }: Release): Promise<void> {
  const holder = pipeline === null ? undefined : await lockSnapshotOfName(transaction, pipeline, name);
  if (holder === undefined || holder.id === except) return;
  if (holder.is_referenced) {
    await unnameSnapshot(transaction, holder.id, now);
    await detachTriggersOfDerived(transaction, holder.id);
  } else {
    await detachAll(transaction, [holder.id]);
    await deleteRow(transaction, snapshots, holder.id);
  }
}

async function removeSnapshot(database: Database, id: string): Promise<void> {
  await removeWithRuns(database, { column: "snapshot_id", id }, async (transaction) => {
    await detachTriggersOfDerived(transaction, id);
    await detachAll(transaction, [id]);
    if (!(await deleteRow(transaction, snapshots, id))) throw noSuch(LABEL, id);
  });
}

/** Once through all of them, some at a time; how many were deleted. */
async function prunePass(database: Database, unused: Unused): Promise<number> {
  let count = 0;
  let after: PlaceAmongSnapshots | undefined = firstPlace;
  while (after !== undefined) {
    const place: PlaceAmongSnapshots = after;
    const { found, deleted } = await database.transaction(async (transaction) => {
      const locked = await lockUnusedSnapshots(transaction, unused, { limit: PRUNED_AT_ONCE, after: place });
      const gone = await deleteUnusedSnapshots(
        transaction,
        locked.map(({ id }) => id),
      );
      await detachAll(transaction, gone);
      return { found: locked, deleted: gone.length };
    });
    count += deleted;
    after = found.length < PRUNED_AT_ONCE ? undefined : found.at(-1);
  }
  return count;
}
