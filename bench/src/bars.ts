// What Plinth has to reach, as ratios within one run on one machine, and the titles of the report.
import type { MetricName } from "./measurement.ts";

export type Bar =
  /** At least this many times as good as the peer. */
  | { kind: "ratio"; than: "mlflow" | "fasttrackml" | "nginx"; least: number }
  /** At least this share of another number of Plinth's own. */
  | { kind: "share"; of: MetricName; perUnit: number; least: number }
  /** At most this many times another of Plinth's own. */
  | { kind: "growth"; over: MetricName; most: number }
  | { kind: "most"; value: number };

export type Row = { metric: MetricName; title: string; bars: readonly Bar[] };

const mlflow = (least: number): Bar => ({ kind: "ratio", than: "mlflow", least });
const fasttrackml = (least: number): Bar => ({ kind: "ratio", than: "fasttrackml", least });

export const rows: readonly Row[] = [
  { metric: "runs-get", title: "`runs/get`, 32 connections", bars: [mlflow(40), fasttrackml(1)] },
  {
    metric: "log-metric",
    title: "`log-metric` one point, 32 connections",
    bars: [mlflow(30), fasttrackml(5)],
  },
  { metric: "log-parameter", title: "`log-parameter`, 32 connections", bars: [mlflow(20), fasttrackml(3)] },
  {
    metric: "log-batch-10",
    title: "`log-batch` 10 metrics, 20 connections",
    bars: [mlflow(25), fasttrackml(5)],
  },
  {
    metric: "log-batch-500",
    title: "`log-batch` 500 metrics, 20 connections",
    bars: [mlflow(7), fasttrackml(2)],
  },
  {
    metric: "log-batch-1000",
    title: "`log-batch` 1000 metrics, 8 connections",
    bars: [mlflow(6), fasttrackml(1.7), { kind: "share", of: "bare-insert", perUnit: 1000, least: 0.6 }],
  },
  { metric: "bare-insert", title: "bare set-based insert loop into the same table, 8 connections", bars: [] },
  {
    metric: "log-batch-1000-keys",
    title: "`log-batch` 1000 metrics of 1000 different keys, 8 connections (no bar)",
    bars: [],
  },
  { metric: "runs-create", title: "`runs/create`, 20 connections", bars: [mlflow(20), fasttrackml(2)] },
  {
    metric: "search-filtered",
    title:
      "`runs/search`, 25,000 runs with 20 params and 20 metrics, two filters + order by a metric, 641 rows",
    bars: [mlflow(30), fasttrackml(2)],
  },
  {
    metric: "search-ordered",
    title: "the same, order by a metric only, 1,000 rows",
    bars: [mlflow(30), fasttrackml(2)],
  },
  {
    metric: "search-ordered-250k",
    title: "the same at 250,000 runs",
    bars: [{ kind: "growth", over: "search-ordered", most: 1.5 }],
  },
  {
    metric: "ui-run-list",
    title: "all that MLflow's web UI asks for the page of runs, 25,000 runs, one request after the other",
    bars: [mlflow(10)],
  },
  {
    metric: "metric-history",
    title: "`metrics/get-history`, 100,000 points, pages of 25,000",
    bars: [mlflow(15), fasttrackml(1.5)],
  },
  {
    metric: "register-versions",
    title: "`model-versions/create`, 100 models, 20 connections",
    bars: [mlflow(20)],
  },
  {
    metric: "register-versions-one",
    title: "`model-versions/create`, one model, 20 connections",
    bars: [mlflow(20)],
  },
  {
    metric: "search-models",
    title: "`registered-models/search`, 1,000 of 10,000 models",
    bars: [mlflow(20)],
  },
  {
    metric: "search-versions",
    title: "`model-versions/search`, 1,000 of 100,000 versions",
    bars: [mlflow(20)],
  },
  {
    metric: "latest-versions",
    title: "`registered-models/get-latest-versions`, 32 connections",
    bars: [mlflow(30)],
  },
  { metric: "alias", title: "`registered-models/alias`, 32 connections", bars: [mlflow(30)] },
  { metric: "artifact-up", title: "artifact 1 GiB, up", bars: [mlflow(1)] },
  { metric: "artifact-copy", title: "the same file copied by `dd` with fsync, meanwhile (no bar)", bars: [] },
  {
    metric: "artifact-down",
    title: "artifact 1 GiB, down",
    bars: [mlflow(2.5), { kind: "ratio", than: "nginx", least: 0.8 }],
  },
  { metric: "artifact-memory", title: "growth of memory meanwhile", bars: [{ kind: "most", value: 50 }] },
  { metric: "warm-start", title: "warm start to `/ready`", bars: [{ kind: "most", value: 1.5 }] },
  { metric: "first-start", title: "first start", bars: [{ kind: "most", value: 5 }] },
  {
    metric: "idle-memory",
    title: "idle memory (PSS), database included",
    bars: [{ kind: "most", value: 250 }],
  },
];
