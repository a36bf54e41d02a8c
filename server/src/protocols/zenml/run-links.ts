import type { SnapshotOfRun } from "../../modules/pipelines/index.ts";
import type { ViewContext } from "./envelope.ts";
import type { Related } from "./related.ts";
import { pipelineSummary, stackSummary } from "./summaries.ts";

type Views = ReadonlyMap<string, object>;
const at = (views: Views, id: string | null | undefined): object | null => views.get(id ?? "") ?? null;

type Links = Record<"builds" | "schedules" | "references" | "sources", Views>;

/** What snapshots of runs lead to: most of them to nothing. */
export async function loadRunLinks(related: Related, snapshots: readonly SnapshotOfRun[]): Promise<Links> {
  const [builds, schedules, references, sources] = await Promise.all([
    related.builds(snapshots.map((one) => one.build_id)),
    related.schedules(snapshots.map((one) => one.schedule_id)),
    related.codeReferences(snapshots.map((one) => one.code_reference_id)),
    related.snapshots(snapshots.map((one) => one.source_snapshot_id)),
  ]);
  return { builds, schedules, references, sources };
}

type RunLinks = Record<
  "stack" | "pipeline" | "build" | "schedule" | "code_reference" | "source_snapshot",
  object | null
>;

export const runLinksOf = (
  { builds, schedules, references, sources }: Links,
  ...[snapshot, view]: [SnapshotOfRun | undefined, ViewContext]
): RunLinks => ({
  stack: snapshot?.stack ? stackSummary(snapshot.stack) : null,
  pipeline: snapshot?.pipeline ? pipelineSummary(snapshot.pipeline, view) : null,
  build: at(builds, snapshot?.build_id),
  schedule: at(schedules, snapshot?.schedule_id),
  code_reference: at(references, snapshot?.code_reference_id),
  source_snapshot: at(sources, snapshot?.source_snapshot_id),
});

/** 0.84 reads in the body of a run what 0.98 reads among its resources. */
export const oldRunLinks = ({ stack, pipeline, build, schedule, code_reference }: RunLinks): object => ({
  stack,
  pipeline,
  build,
  schedule,
  code_reference,
  trigger_execution: null,
});
