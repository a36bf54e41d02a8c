import type { Prepared } from "../../kernel/database.ts";
import {
  artifacts,
  artifactVersions,
  artifactVisualizations,
  builds,
  codeRepositories,
  insertRows,
  logs,
  models,
  modelVersionArtifacts,
  modelVersionRuns,
  modelVersions,
  pipelines,
  runs,
  runTemplates,
  schedules,
  stepInputs,
  stepOutputs,
  stepParents,
  steps,
  type RowOf,
  type Table,
} from "../../modules/pipelines/index.ts";
import {
  entitiesOf,
  fieldOf,
  idOf,
  namedEntitiesOf,
  stampsOf,
  textOf,
  userOf,
  type Entity,
} from "./entity.ts";
import * as row from "./project-rows.ts";
import type { Into } from "./project-rows.ts";
import { loadSnapshots } from "./snapshots.ts";
import { copy, put, type Copied, type Writer } from "./writer.ts";

type Kind<T extends Table> = Omit<Copied<T>, "row" | "parameters"> & {
  row(entity: Entity, into: Into): Partial<RowOf<T>>;
};

export type ProjectCounts = Readonly<Record<string, number>>;

/** Everything of one project, in an order in which nothing refers to what is not there yet. */
export async function loadProject(writer: Writer, into: Into, project: Entity): Promise<ProjectCounts> {
  const parameters = { project: project.id };
  const counts: Record<string, number> = {};
  const bring = async <T extends Table>(name: string, kind: Kind<T>): Promise<void> => {
    counts[name] = await copy(writer, into, { ...kind, parameters, row: (one) => kind.row(one, into) });
  };
  await bring("code repositories", {
    path: "/code_repositories",
    table: codeRepositories,
    row: row.codeRepositoryRow,
  });
  await bring("pipelines", {
    path: "/pipelines",
    table: pipelines,
    row: row.pipelineRow,
    tagged: "pipeline",
  });
  await bring("builds", { path: "/pipeline_builds", table: builds, row: row.buildRow });
  await bring("schedules", {
    path: "/schedules",
    table: schedules,
    row: row.scheduleRow,
    described: "schedule",
  });
  await bring("models", { path: "/models", table: models, row: row.modelRow, tagged: "model" });
  await bring("model versions", {
    path: "/model_versions",
    table: modelVersions,
    row: row.modelVersionRow,
    tagged: "model_version",
    described: "model_version",
  });
  const snapshots = await loadSnapshots(writer, into, project);
  counts["snapshots"] = snapshots.count;
  await bring("run templates", {
    path: "/run_templates",
    table: runTemplates,
    row: row.runTemplateRow,
    tagged: "run_template",
  });
  counts["runs"] = await loadRuns(writer, into, parameters);
  await bring("artifacts", {
    path: "/artifacts",
    table: artifacts,
    row: row.artifactRow,
    tagged: "artifact",
  });
  await bring("artifact versions", {
    path: "/artifact_versions",
    table: artifactVersions,
    row: row.artifactVersionRow,
    tagged: "artifact_version",
    described: "artifact_version",
    also: async (items) =>
      void (await put(writer, artifactVisualizations, items.flatMap(row.visualizationRows))),
  });
  counts["steps"] = await loadSteps(writer, into, { parameters, isDynamic: snapshots.isDynamic });
  await countNewest(writer, into);
  return counts;
}

type Listed = { project: string };

async function loadRuns(writer: Writer, into: Into, parameters: Listed): Promise<number> {
  const refs: { id: string; original: string | null; parent: string | null; root: string | null }[] = [];
  const done = await copy(writer, into, {
    path: "/runs",
    parameters: { ...parameters, include_full_metadata: true },
    table: runs,
    row: (one) => row.runRow(one, into),
    tagged: "pipeline_run",
    described: "pipeline_run",
    async also(items) {
      await putLogs(writer, into, { items, of: "run" });
      for (const one of items) {
        const found = {
          id: one.id,
          original: idOf(one, "original_run"),
          parent: idOf(one, "parent_run"),
          root: textOf(one, "root_run_id"),
        };
        if ((found.original ?? found.parent ?? found.root) !== null) refs.push(found);
      }
    },
  });
  await writer.transaction.prepared(linkRunsText, [JSON.stringify(refs)]);
  return done;
}

const linkRunsText: Prepared = {
  name: "zenml_import_link_runs",
  text: `
    update pipelines.runs as t set
      original_run_id = (select id from pipelines.runs where id = r.original),
      parent_run_id = (select id from pipelines.runs where id = r.parent),
      root_run_id = r.root
    from json_to_recordset($1::json) as r (id uuid, original uuid, parent uuid, root uuid)
    where t.id = r.id`,
};

async function loadSteps(
  writer: Writer,
  into: Into,
  { parameters, isDynamic }: { parameters: Listed; isDynamic(snapshotId: string): boolean },
): Promise<number> {
  const snapshotOf = (one: Entity): string =>
    textOf(one, "snapshot_id") ?? textOf(one, "deployment_id") ?? "";
  return copy(writer, into, {
    path: "/steps",
    parameters,
    table: steps,
    row: (one) => {
      const snapshotId = snapshotOf(one);
      return row.stepRow(one, into, { snapshotId, dynamic: isDynamic(snapshotId) });
    },
    described: "step_run",
    async also(items) {
      await insertRows(writer.transaction, stepParents, items.flatMap(parentsOf));
      await insertRows(writer.transaction, stepInputs, items.flatMap(inputsOf));
      await insertRows(writer.transaction, stepOutputs, items.flatMap(outputsOf));
      await putLogs(writer, into, { items, of: "step" });
      const originals = items.flatMap((one) => {
        const original = textOf(one, "original_step_run_id");
        return original === null ? [] : [{ id: one.id, original }];
      });
      await writer.transaction.prepared(linkStepsText, [JSON.stringify(originals)]);
    },
  });
}

const linkStepsText: Prepared = {
  name: "zenml_import_link_steps",
  text: `
    update pipelines.steps as t set original_step_run_id = o.id
    from json_to_recordset($1::json) as r (id uuid, original uuid) join pipelines.steps as o on o.id = r.original
    where t.id = r.id`,
};

/** Steps come in the order they began in, so that parents are there. */
function parentsOf(step: Entity): { step_id: string; parent_id: string }[] {
  const parents = fieldOf(step, "parent_step_ids");
  return Array.isArray(parents) ? parents.map((id) => ({ step_id: step.id, parent_id: String(id) })) : [];
}

/** What is told of an input stands beside the parts of its artifact version. */
type Input = Entity & { input_type?: string; chunk_index?: number | null; chunk_size?: number | null };

const inputsOf = (step: Entity): object[] =>
  namedEntitiesOf(step, "inputs").flatMap(([name, versions]) =>
    versions.map((version: Input, position) => ({
      step_id: step.id,
      name,
      position,
      artifact_version_id: version.id,
      type: version.input_type ?? "step_output",
      chunk_index: version.chunk_index ?? null,
      chunk_size: version.chunk_size ?? null,
    })),
  );

const outputsOf = (step: Entity): object[] =>
  namedEntitiesOf(step, "outputs").flatMap(([name, versions]) =>
    versions.map((version, position) => ({
      step_id: step.id,
      name,
      position,
      artifact_version_id: version.id,
    })),
  );

/** Where the lines of a run or step are: 0.84 tells one, later ones a list. */
async function putLogs(
  writer: Writer,
  { workspaceId, mapping }: Into,
  { items, of }: { items: readonly Entity[]; of: "run" | "step" },
): Promise<void> {
  const found = items.flatMap((item) => {
    const single = fieldOf(item, "logs");
    const all = [...entitiesOf(item, "log_collection"), ...(single === null ? [] : [single as Entity])];
    const unique = new Map(all.map((one) => [one.id, one]));
    return [...unique.values()].map((one) => ({
      id: one.id,
      workspace_id: workspaceId,
      user_id: mapping.users.get(userOf(one) ?? userOf(item)),
      uri: textOf(one, "uri"),
      source: textOf(one, "source") ?? of,
      pipeline_run_id: of === "run" ? item.id : textOf(item, "pipeline_run_id"),
      step_run_id: of === "step" ? item.id : null,
      artifact_store_id: mapping.components.get(textOf(one, "artifact_store_id")),
      log_store_id: mapping.components.get(textOf(one, "log_store_id")),
      ...stampsOf(one),
    }));
  });
  await insertRows(writer.transaction, logs, found, { linked: true });
}

/** Numbers go on where the source's ended. */
async function countNewest({ transaction }: Writer, { workspaceId }: Into): Promise<void> {
  await transaction.prepared(countRunsText, [workspaceId]);
}

const countRunsText: Prepared = {
  name: "zenml_import_count_runs",
  text: `
    update pipelines.pipelines as p set run_count = greatest(p.run_count, r.newest)
    from (select pipeline_id, max(index) as newest from pipelines.runs where workspace_id = $1 group by pipeline_id) as r
    where p.id = r.pipeline_id`,
};

/** Of all projects at once: the source's lists know no project. What they link must have been brought over. */
export async function loadModelLinks(writer: Writer): Promise<number> {
  let done = 0;
  for (const [path, linksText] of [
    ["/model_version_artifacts", linkArtifactsText],
    ["/model_version_pipeline_runs", linkRunVersionsText],
  ] as const) {
    for await (const { items, total } of writer.source.pages(path)) {
      const links = items.map((one) => ({
        id: one.id,
        model_version: textOf(one, "model_version"),
        other: idOf(one, "artifact_version") ?? idOf(one, "pipeline_run"),
        ...stampsOf(one),
      }));
      await writer.transaction.prepared(linksText, [JSON.stringify(links)]);
      done += items.length;
      writer.progress(path.slice(1), done, total);
    }
  }
  return done;
}

const linksOf = (table: string, column: string, other: string): string => `
  insert into ${table} (id, model_version_id, ${column}, created, updated)
  select r.id, v.id, o.id, r.created, r.updated
  from json_to_recordset($1::json) as r (id uuid, model_version uuid, other uuid, created bigint, updated bigint)
    join pipelines.model_versions as v on v.id = r.model_version join ${other} as o on o.id = r.other
  on conflict do nothing`;

const linkArtifactsText: Prepared = {
  name: "zenml_import_link_artifacts",
  text: linksOf(modelVersionArtifacts.name, "artifact_version_id", artifactVersions.name),
};
const linkRunVersionsText: Prepared = {
  name: "zenml_import_link_run_versions",
  text: linksOf(modelVersionRuns.name, "pipeline_run_id", runs.name),
};
