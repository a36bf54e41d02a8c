// The works of one large read at a time: search and metric history.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createExperiment, createRun, post, send, type Run } from "./api.ts";
import type { Plan } from "./load-work.ts";
import { median, type Check, type Measurement, type MetricName } from "./measurement.ts";
import { readMemory } from "./memory.ts";
import { expectedNames, filtered, loadRuns, ordered, type Search } from "./search-data.ts";
import { settle } from "./settle.ts";
import type { Target } from "./target.ts";
import { measureRunList } from "./ui-work.ts";
import { errorsOf, runWrk } from "./wrk.ts";

const SMALL = 25_000;
const LARGE = 250_000;

export type SearchMetric = "search-filtered" | "search-ordered" | "search-ordered-250k" | "ui-run-list";

/** Measures the searches asked for; the large table comes last, for it would be in the others' way. */
export async function measureSearches(
  target: Target,
  wanted: readonly SearchMetric[],
  plan: Plan,
): Promise<Measurement[]> {
  const found: Measurement[] = [];
  const small = wanted.filter((metric) => metric !== "search-ordered-250k");
  if (small.length > 0) {
    const experiment = await loadRuns(target, SMALL);
    for (const metric of small) {
      const work = { target, experiment, count: SMALL };
      if (metric === "ui-run-list") found.push(await measureRunList(work, plan));
      else found.push(await measureSearch({ ...work, metric }, plan));
    }
  }
  if (wanted.includes("search-ordered-250k") && target.name === "plinth") {
    const experiment = await loadRuns(target, LARGE);
    const large = { target, metric: "search-ordered-250k", experiment, count: LARGE } as const;
    found.push(await measureSearch(large, plan));
  }
  return found;
}

type SearchWork = {
  target: Target;
  metric: Exclude<SearchMetric, "ui-run-list">;
  experiment: string;
  count: number;
};

async function measureSearch(
  { target, metric, experiment, count }: SearchWork,
  plan: Plan,
): Promise<Measurement> {
  const search = metric === "search-filtered" ? filtered : ordered;
  const body = { ...search, experiment_ids: [experiment] };
  const check = await checkSearch(target, body, expectedNames(search, count));
  const since = performance.now();
  await post(target, "runs/search", body);
  // Enough for some answers of the slowest.
  const seconds = Math.max(plan.seconds, Math.ceil((6 * (performance.now() - since)) / 1000));
  await settle(target.pids, 20);
  const file = join(plan.folder, "search.json");
  writeFileSync(file, JSON.stringify(body));
  const load = { script: "search-runs", connections: 1, seconds, options: { body: file } };
  await runWrk(target.url, { ...load, seconds: Math.max(1, Math.round(seconds / 4)) });
  const rounds = [];
  for (let i = 0; i < plan.repeat; i++) rounds.push(await runWrk(target.url, load));
  const middle = median(rounds, ({ p50 }) => p50);
  const memory = readMemory(target.pids);
  return {
    metric,
    target: target.name,
    unit: "ms",
    value: middle.p50,
    p50: middle.p50,
    p99: middle.p99,
    errors: rounds.reduce((sum, round) => sum + errorsOf(round), 0),
    serverMemory: memory.server.pss,
    postgresMemory: memory.postgres.pss,
    check,
  };
}

async function checkSearch(
  target: Target,
  body: Search & { experiment_ids: string[] },
  expected: readonly string[],
): Promise<Check> {
  const answer = (await post(target, "runs/search", body)) as { runs?: Run[] };
  const names = (answer.runs ?? []).map((run) => run.info.run_name);
  const wrong = expected.findIndex((name, i) => names[i] !== name);
  const isComplete = (answer.runs ?? []).every(
    ({ data }) => data.metrics?.length === 20 && data.params?.length === 20 && data.tags?.length === 4,
  );
  if (wrong < 0 && names.length === expected.length && isComplete) {
    return { ok: true, text: `${names.length} runs, the right ones in the right order` };
  }
  const place = wrong < 0 ? "" : `, at ${wrong} ${names[wrong]} for ${expected[wrong]}`;
  return { ok: false, text: `${names.length} runs for ${expected.length}${place}` };
}

const POINTS = 100_000;
const PAGE = 25_000;

export async function measureHistory(target: Target, plan: Plan): Promise<Measurement> {
  const metric: MetricName = "metric-history";
  const experiment = await createExperiment(target, "history");
  const { info } = await createRun(target, experiment, "long");
  for (let first = 0; first < POINTS; first += 1000) {
    const metrics = Array.from({ length: 1000 }, (_, i) => {
      const step = first + i;
      return { key: "loss", value: 1 / (step + 1), timestamp: 1_700_000_000_000 + step * 100, step };
    });
    await post(target, "runs/log-batch", { run_id: info.run_id, metrics, params: [], tags: [] });
  }
  await settle(target.pids, 20);
  const steps = (await readHistory(target, info.run_id)).flatMap(({ text }) =>
    [...text.matchAll(/"step":\s*"?(\d+)/g)].map(([, step]) => Number(step)),
  );
  const isInOrder = steps.every((step, i) => step === i);
  const ok = steps.length === POINTS && new Set(steps).size === POINTS;
  const times = [];
  for (let i = 0; i < Math.max(5, plan.repeat); i++) {
    const pages = await readHistory(target, info.run_id);
    times.push(pages.reduce((sum, page) => sum + page.milliseconds, 0));
  }
  const memory = readMemory(target.pids);
  return {
    metric,
    target: target.name,
    unit: "ms",
    value: median(times, (time) => time),
    serverMemory: memory.server.pss,
    postgresMemory: memory.postgres.pss,
    check: {
      ok,
      text: `${steps.length} points, ${isInOrder ? "every step in order" : "not in order of step"}`,
    },
  };
}

/** Reads until there is no next page. The clock stops while the bench looks into a page. */
async function readHistory(target: Target, run: string): Promise<{ text: string; milliseconds: number }[]> {
  const pages = [];
  let token = "";
  do {
    const since = performance.now();
    const path = `metrics/get-history?run_id=${run}&metric_key=loss&max_results=${PAGE}`;
    const url = `${target.url}/api/2.0/mlflow/${path}&page_token=${encodeURIComponent(token)}`;
    const answer = await send(url, "GET");
    const milliseconds = performance.now() - since;
    const text = answer.body.toString("utf8");
    if (answer.status !== 200)
      throw new Error(`metrics/get-history answered ${answer.status}: ${text.slice(0, 500)}`);
    pages.push({ text, milliseconds });
    const { next_page_token = "" } = JSON.parse(text) as { next_page_token?: string };
    token = next_page_token;
  } while (token !== "");
  return pages;
}
