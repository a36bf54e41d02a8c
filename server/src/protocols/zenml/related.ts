import type { Principals } from "../../modules/identity/index.ts";
import {
  artifacts,
  builds,
  codeReferences,
  codeRepositories,
  deployments,
  models,
  modelVersions,
  pipelines,
  runs,
  runTemplates,
  schedules,
  selectCuratedOf,
  selectMetadataOf,
  selectRows,
  selectShownComponents,
  selectShownSnapshots,
  selectShownVersions,
  selectSnapshotsOfRuns,
  selectTagsOf,
  serviceConnectors,
  stacks,
  triggers,
  type ArtifactRow,
  type PipelineRunRow,
  type ShownVersionRow,
  type Database,
  type RowOf,
  type Table,
  type TagRow,
} from "../../modules/pipelines/index.ts";
import type { ViewContext } from "./envelope.ts";
import { loadRunLinks, oldRunLinks, runLinksOf } from "./run-links.ts";
import * as summary from "./summaries.ts";
import { triggerSummary } from "./trigger-views.ts";
import { userView } from "./views.ts";

type Ids = readonly (string | null | undefined)[];
type Views = ReadonlyMap<string, object>;

/**
 * What stands in the `resources` of other entities, for as many of them as are shown: one statement for each kind, and
 * none where nothing refers to it. Views are without metadata and resources of their own, as ZenML nests them.
 */
export type Related = {
  users(ids: Ids): Promise<Views>;
  stacks(ids: Ids): Promise<Views>;
  components(ids: Ids): Promise<Views>;
  serviceConnectors(ids: Ids): Promise<Views>;
  pipelines(ids: Ids): Promise<Views>;
  builds(ids: Ids): Promise<Views>;
  schedules(ids: Ids): Promise<Views>;
  codeRepositories(ids: Ids): Promise<Views>;
  codeReferences(ids: Ids): Promise<Views>;
  snapshots(ids: Ids): Promise<Views>;
  runTemplates(ids: Ids): Promise<Views>;
  triggers(ids: Ids): Promise<Views>;
  deployments(ids: Ids): Promise<Views>;
  runs(ids: Ids): Promise<Views>;
  models(ids: Ids): Promise<Views>;
  modelVersions(ids: Ids): Promise<Views>;
  artifacts(ids: Ids): Promise<Views>;
  artifactVersions(ids: Ids): Promise<Views>;
  /** Of versions that were read before, by their ids. */
  artifactVersionViews(rows: Iterable<ShownVersionRow>): Views;
  /** By the id of what they are on. */
  tagsOf(ids: Ids): Promise<ReadonlyMap<string, readonly object[]>>;
  /** Those that were put on it, by the id of what they are on. */
  visualizationsOf(ids: Ids): Promise<ReadonlyMap<string, readonly object[]>>;
  /** By the id of what it was logged about, as the text of a JSON object. */
  metadataOf(ids: Ids): Promise<ReadonlyMap<string, string>>;
};

export type RelatedDeps = { database: Database; principals: Pick<Principals, "listByUuids">; now(): number };

/** Related entities in the words of one client. */
export type RelatedFor = (context: ViewContext) => Related;

/** Of names of users: as long as other processes may take to hear of a change. */
const USER_MS = 2000;
const MAX_USERS = 10_000;

export function createRelated({ database, principals, now }: RelatedDeps): RelatedFor {
  const users = new Map<string, { view: object; until: number }>();

  const loadUsers = async (ids: Ids): Promise<Views> => {
    const wanted = known(ids);
    const missing = wanted.filter((id) => (users.get(id)?.until ?? 0) <= now());
    if (missing.length > 0) {
      if (users.size > MAX_USERS) users.clear();
      for (const row of await principals.listByUuids(missing)) {
        users.set(row.uuid, {
          view: userView(row, { hydrate: false }),
          until: now() + USER_MS,
        });
      }
    }
    return new Map(wanted.flatMap((id) => ((found) => (found ? [[id, found.view]] : []))(users.get(id))));
  };

  return (context) => {
    const views =
      <T extends Table>(table: T, view: (row: RowOf<T>, context: ViewContext) => object) =>
      async (ids: Ids): Promise<Views> => {
        const rows = await selectRows(database, table, known(ids));
        return new Map([...rows].map(([id, row]) => [id, view(row, context)]));
      };

    const related: Related = {
      users: loadUsers,
      stacks: views(stacks, summary.stackSummary),
      async components(ids) {
        const rows = await selectShownComponents(database, known(ids));
        return new Map([...rows].map(([id, row]) => [id, summary.componentSummary(row)]));
      },
      serviceConnectors: views(serviceConnectors, summary.connectorSummary),
      pipelines: views(pipelines, summary.pipelineSummary),
      builds: views(builds, summary.buildSummary),
      schedules: views(schedules, summary.scheduleSummary),
      codeRepositories: views(codeRepositories, summary.codeRepositorySummary),
      async codeReferences(ids) {
        const rows = await selectRows(database, codeReferences, known(ids));
        const repositories = await related.codeRepositories(
          [...rows.values()].map((row) => row.code_repository_id),
        );
        return new Map(
          [...rows].map(([id, row]) => [
            id,
            summary.codeReferenceSummary(row, repositories.get(row.code_repository_id) ?? null),
          ]),
        );
      },
      async snapshots(ids) {
        const rows = await selectShownSnapshots(database, known(ids));
        return new Map([...rows].map(([id, row]) => [id, summary.snapshotSummary(row, context)]));
      },
      triggers: views(triggers, triggerSummary),
      async runTemplates(ids) {
        const rows = await selectRows(database, runTemplates, known(ids));
        const sources = await selectShownSnapshots(
          database,
          known([...rows.values()].map((row) => row.source_snapshot_id)),
        );
        return new Map(
          [...rows].map(([id, row]) => {
            const runnable = sources.get(row.source_snapshot_id ?? "")?.runnable ?? false;
            return [id, summary.runTemplateSummary(row, runnable, context)];
          }),
        );
      },
      deployments: views(deployments, summary.deploymentSummary),
      async runs(ids) {
        const rows = await selectRows(database, runs, known(ids));
        // Only clients of 0.84 read in them what the runs lead to.
        const planned = context.isOld ? [...rows.values()].map((row) => row.snapshot_id) : [];
        const snapshots = await selectSnapshotsOfRuns(database, known(planned));
        const links = await loadRunLinks(related, [...snapshots.values()]);
        const linksOf = (row: PipelineRunRow): object =>
          context.isOld ? oldRunLinks(runLinksOf(links, snapshots.get(row.snapshot_id ?? ""), context)) : {};
        return new Map([...rows].map(([id, row]) => [id, summary.runSummary(row, context, linksOf(row))]));
      },
      models: views(models, summary.modelSummary),
      async modelVersions(ids) {
        const rows = await selectRows(database, modelVersions, known(ids));
        const owners = await related.models([...rows.values()].map((row) => row.model_id));
        return new Map(
          [...rows].map(([id, row]) => [
            id,
            summary.modelVersionSummary(row, owners.get(row.model_id) ?? null, context),
          ]),
        );
      },
      artifacts: views(artifacts, summary.artifactSummary),
      artifactVersions: async (ids) =>
        related.artifactVersionViews((await selectShownVersions(database, known(ids))).values()),
      artifactVersionViews(rows) {
        // Many versions are of one artifact.
        const owners = new Map<string, object>();
        const ownerOf = (row: ArtifactRow): object => {
          const found = owners.get(row.id) ?? summary.artifactSummary(row, context);
          owners.set(row.id, found);
          return found;
        };
        return new Map(
          [...rows].map((row) => [
            row.id,
            summary.artifactVersionSummary(row, ownerOf(row.artifact), context),
          ]),
        );
      },
      async tagsOf(ids) {
        const tags = await selectTagsOf(database, known(ids));
        return new Map(
          [...tags].map(([id, rows]) => [id, rows.map((row: TagRow) => summary.tagSummary(row))]),
        );
      },
      async visualizationsOf(ids) {
        const curated = await selectCuratedOf(database, known(ids));
        return new Map(
          [...curated].map(([id, rows]) => [
            id,
            rows.map((row) => summary.curatedVisualizationSummary(row, context)),
          ]),
        );
      },
      metadataOf: (ids) => selectMetadataOf(database, known(ids), { laysOver: !context.isOld }),
    };
    return related;
  };
}

const known = (ids: Ids): string[] => [
  ...new Set(ids.filter((id): id is string => id !== null && id !== undefined)),
];
