import type { ShownStep, SnapshotRow } from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import type { ZenmlCall } from "./endpoint.ts";
import { entity, json, jsonOrNull, statusFor } from "./envelope.ts";
import { runConfigurationOf } from "./run-configuration-template.ts";
import { snapshotBody } from "./summaries.ts";

export type SnapshotViewOptions = {
  hydrate: boolean;
  /** Names of the steps that are asked for; all where nothing is said. */
  steps?: readonly string[] | undefined;
  /** With what can be said when they are run. */
  includeSchema?: boolean | undefined;
  /** All of them, where they are known already. */
  written?: readonly ShownStep[] | undefined;
};

/** Views of snapshots; the rows need what is long only where they are hydrated. */
export type SnapshotViews = (
  call: Pick<ZenmlCall, "isOld">,
  rows: readonly SnapshotRow[],
  options: SnapshotViewOptions,
) => Promise<object[]>;

/** One record in the views of both versions: 0.84 reads what it refers to in `metadata`, 0.98 in `resources`. */
export function createSnapshotViews(context: ZenmlContext): SnapshotViews {
  const { snapshots } = context.pipelines;

  return async (call, rows, { hydrate, steps, written, includeSchema = false }) => {
    const shown = context.viewContext(call);
    const related = context.relatedFor(call);
    const ids = rows.map((row) => row.id);
    const [all, latest, configured, pipelines, stacks, builds, schedules, references, tags, visualizations] =
      await Promise.all([
        snapshots.shownOf(ids),
        snapshots.latestRunsOf(ids),
        hydrate ? (written ?? snapshots.stepsOf(ids, steps)) : [],
        related.pipelines(rows.map((row) => row.pipeline_id)),
        related.stacks(rows.map((row) => row.stack_id)),
        related.builds(rows.map((row) => row.build_id)),
        related.schedules(rows.map((row) => row.schedule_id)),
        related.codeReferences(rows.map((row) => row.code_reference_id)),
        related.tagsOf(ids),
        related.visualizationsOf(ids),
      ]);
    const [users, deployments, runnable] = await Promise.all([
      related.users([...rows.map((row) => row.user_id), ...[...latest.values()].map((run) => run.user_id)]),
      related.deployments([...all.values()].map((row) => row.deployment_id)),
      snapshots.runConfigurationsOf(hydrate && includeSchema ? ids : []),
    ]);
    const stepsOf = Map.groupBy(configured, (step) => step.snapshot_id);
    return rows.flatMap((row) => {
      // One that was just made is shown though another may have taken its place already.
      const one = all.get(row.id) ?? (written && { ...row, ...nothingKnown });
      // Deleted since the list was read.
      if (one === undefined) return [];
      const run = latest.get(row.id);
      const links = {
        pipeline: pipelines.get(row.pipeline_id ?? "") ?? null,
        stack: stacks.get(row.stack_id ?? "") ?? null,
        build: builds.get(row.build_id ?? "") ?? null,
        schedule: schedules.get(row.schedule_id ?? "") ?? null,
        code_reference: references.get(row.code_reference_id ?? "") ?? null,
      };
      return entity(
        { id: row.id, name: row.name },
        {
          body: snapshotBody(one, shown),
          metadata: hydrate
            ? {
                ...metadataOf(row, stepsOf.get(row.id) ?? []),
                ...links,
                ...runConfigurationOf(runnable.get(row.id)),
              }
            : null,
          resources: {
            user: users.get(row.user_id ?? "") ?? null,
            ...links,
            deployment: deployments.get(one.deployment_id ?? "") ?? null,
            tags: tags.get(row.id) ?? [],
            latest_run_id: run?.id ?? null,
            latest_run_status: statusFor(run?.status ?? null, shown),
            latest_run_user: users.get(run?.user_id ?? "") ?? null,
            visualizations: visualizations.get(row.id) ?? [],
          },
        },
      );
    });
  };
}

const nothingKnown = { runnable: false, deployable: false, deployment_id: null } as const;

const metadataOf = (row: SnapshotRow, steps: readonly ShownStep[]): object => ({
  description: row.description,
  source_code: row.source_code,
  run_name_template: row.run_name_template,
  pipeline_configuration: json(row.pipeline_configuration_json),
  step_configurations: json(stepsText(steps)),
  client_environment: json(row.client_environment_json),
  client_version: row.client_version,
  server_version: row.server_version,
  pipeline_version_hash: row.pipeline_version_hash,
  pipeline_spec: jsonOrNull(row.pipeline_spec_json),
  code_path: row.code_path,
  template_id: row.template_id,
  source_snapshot_id: row.source_snapshot_id,
});

/** As one text: thousands of steps are tens of megabytes, of which nothing is read. */
function stepsText(steps: readonly ShownStep[]): string {
  const members = steps.map(
    (step) =>
      `${JSON.stringify(step.name)}:{"spec":${step.spec_json},"config":${step.config_json},` +
      `"step_config_overrides":${step.overrides_json}}`,
  );
  return `{${members.join(",")}}`;
}
