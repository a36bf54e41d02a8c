import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openFileStore, type FileStoreOptions } from "./file-store.ts";
import type { SourceProblem } from "./problem.ts";
import type { ImportSource, Page, SourcePoints, SourceRun } from "./source.ts";

export const EXPERIMENT = "650304969738951945";
export const RUN = "a5e2b761c9174954bdb96944e5097c89";

export type StoreFixture = Disposable & {
  /** The folder `mlruns`. */
  root: string;
  write(files: Record<string, string | Uint8Array>): void;
  open(options?: Partial<FileStoreOptions>): { source: ImportSource; problems: SourceProblem[] };
};

/** For tests: a file store of one experiment with one run, as MLflow 3.17 writes it, in a folder of its own. */
export function makeFileStore(): StoreFixture {
  const parent = mkdtempSync(join(tmpdir(), "plinth-file-store-"));
  const root = join(parent, "mlruns");
  const write: StoreFixture["write"] = (files) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
  };
  write({
    [`${EXPERIMENT}/meta.yaml`]: experimentYaml(root, { id: EXPERIMENT, name: "training" }),
    [`${EXPERIMENT}/${RUN}/meta.yaml`]: runYaml(root, { id: RUN, experiment: EXPERIMENT }),
    [`${EXPERIMENT}/${RUN}/metrics/loss/train`]: "1000 0.5 0\n1001 0.25 1\n",
    [`${EXPERIMENT}/${RUN}/params/lr`]: "0.1",
    [`${EXPERIMENT}/${RUN}/tags/mlflow.runName`]: "first run",
    [`${EXPERIMENT}/${RUN}/artifacts/model/MLmodel`]: "flavors: {}\n",
  });
  return {
    root,
    write,
    open(options = {}) {
      const problems: SourceProblem[] = [];
      const source = openFileStore(root, { onProblem: (problem) => problems.push(problem), ...options });
      return { source, problems };
    },
    [Symbol.dispose]: () => rmSync(parent, { recursive: true, force: true }),
  };
}

export const experimentYaml = (
  root: string,
  { id, name, stage = "active" }: { id: string; name: string; stage?: string },
): string =>
  `artifact_location: file://${root}/${id}
creation_time: 1795263685608
experiment_id: '${id}'
last_update_time: 1795263685609
lifecycle_stage: ${stage}
name: ${name}
`;

export const runYaml = (
  root: string,
  { id, experiment, name = "first run" }: { id: string; experiment: string; name?: string },
): string =>
  `artifact_uri: file://${root}/${experiment}/${id}/artifacts
end_time: 1795263690037
entry_point_name: ''
experiment_id: '${experiment}'
lifecycle_stage: active
run_id: ${id}
run_name: ${name}
source_name: ''
source_type: 4
source_version: ''
start_time: 1795263685757
status: 3
tags: []
user_id: root
`;

export async function rowsOf<Row>(pages: AsyncIterable<Page<Row>>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of pages) rows.push(...page.rows);
  return rows;
}

/** All runs with all points, as `run/key timestamp value step`. */
export async function runsOf(
  source: ImportSource,
  after?: string,
): Promise<{ runs: SourceRun[]; points: string[]; cursors: string[] }> {
  const runs: SourceRun[] = [];
  const points: string[] = [];
  const cursors: string[] = [];
  for await (const page of source.runs(after)) {
    runs.push(...page.rows);
    for await (const columns of page.points()) points.push(...shown(columns));
    cursors.push(page.cursor);
  }
  return { runs, points, cursors };
}

const shown = ({ run_uuids, keys, values, timestamps, steps }: SourcePoints): string[] =>
  run_uuids.map(
    (run, index) => `${run}/${keys[index]} ${timestamps[index]} ${values[index]} ${steps[index]}`,
  );
