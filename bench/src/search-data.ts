// The same runs for every server, written straight into its tables: through the API the slowest would take an hour.
import { createExperiment, createRun, get, post, type Run } from "./api.ts";
import { query } from "./postgres.ts";
import type { Target } from "./target.ts";

export const METRICS = 20;
export const PARAMS = 20;

// Run n has parameter k = 'v' || n * (k + 1) % 13, and metric k = a shuffling of 0 .. 1000002, which is prime,
// so that no two runs have the same value. Metric 0 has n % 3 before its point. Of 25,000 runs 641 are
// multiples of 13 (`param_0 = 'v0'`) and of 3 (`metric_0 < 1`).
const paramOf = (n: number, k: number): string => `v${(n * (k + 1)) % 13}`;
const PRIME = 1_000_003;
const factorOf = (k: number): number => 7919 + 104_729 * k;
const metricOf = (n: number, k: number): number =>
  ((n * factorOf(k)) % PRIME) / PRIME + (k === 0 ? n % 3 : 0);
const FIRST_START = 1_700_000_000_000;

const paramSql = `'v' || (n * (k + 1) % 13)`;
const metricSql = `((n * (7919 + 104729 * k)) % ${PRIME})::float8 / ${PRIME} + case k when 0 then n % 3 else 0 end`;
const runs = `generate_series(1::bigint, $2::bigint) as n`;
const uuid = `md5('bench ' || $1::text || ' ' || n)`;
const tagsSql = `(values ('mlflow.user', 'bench'), ('mlflow.source.name', 'train.py'), ('mlflow.source.type', 'LOCAL'))
  as tag (key, value)`;
const allTagsSql = `(select key, value from ${tagsSql} union all select 'mlflow.runName', 'run-' || n) as tag`;
const time = `${FIRST_START} + n * 1000`;

/** $1 is the experiment, $2 the number of runs. */
const plinth: readonly string[] = [
  `insert into tracking.keys (key)
   select prefix || k from (values ('metric_'), ('param_')) as prefixes (prefix), generate_series(0, 19) as k
   on conflict do nothing`,
  `insert into tracking.runs (experiment_id, run_uuid, name, user_id, status, start_time, artifact_uri)
   select $1::text::integer, ${uuid}, 'run-' || n, 'bench', 1, ${time},
     'mlflow-artifacts:/' || $1 || '/' || ${uuid} || '/artifacts'
   from ${runs}`,
  `insert into tracking.run_metrics (value, timestamp, step, run_id, key_id, experiment_id)
   select ${metricSql}, ${time}, 0, run_id, key_id, experiment_id
   from ${runs} join tracking.runs on run_uuid = ${uuid}, generate_series(0, 19) as k
   join tracking.keys on key = 'metric_' || k`,
  `insert into tracking.metric_points (value, timestamp, series_id, step)
   select value, timestamp, series_id, 0 from tracking.run_metrics
   where experiment_id = $1::text::integer and $2::bigint > 0`,
  `insert into tracking.params (run_id, key_id, experiment_id, value)
   select run_id, key_id, experiment_id, ${paramSql}
   from ${runs} join tracking.runs on run_uuid = ${uuid}, generate_series(0, 19) as k
   join tracking.keys on key = 'param_' || k`,
  `insert into tracking.tags (run_id, key_id, experiment_id, value)
   select run_id, key_id, experiment_id, tag.value
   from ${runs} join tracking.runs on run_uuid = ${uuid}, lateral ${allTagsSql}
   join tracking.keys on keys.key = tag.key`,
  `vacuum analyze`,
];

function peer(name: "mlflow" | "fasttrackml"): readonly string[] {
  const isFasttrackml = name === "fasttrackml";
  const context = isFasttrackml ? ", (select id from contexts limit 1)" : "";
  const points = `select 'metric_' || k, ${metricSql}, ${time}, ${uuid}, 0, false`;
  const columns = "key, value, timestamp, run_uuid, step, is_nan";
  const values = `from ${runs}, generate_series(0, 19) as k`;
  return [
    `insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,
       source_version, lifecycle_stage, artifact_uri, experiment_id${isFasttrackml ? ", row_num" : ""})
     select ${uuid}, 'run-' || n, 'LOCAL', 'train.py', '', 'bench', 'RUNNING', ${time}, '', 'active',
       'mlflow-artifacts:/' || $1 || '/' || ${uuid} || '/artifacts', $1::text::integer${isFasttrackml ? ", n" : ""}
     from ${runs}`,
    `insert into metrics (${columns}${isFasttrackml ? ", iter, context_id" : ""})
     ${points}${isFasttrackml ? `, 1${context}` : ""} ${values}`,
    `insert into latest_metrics (${columns}${isFasttrackml ? ", last_iter, context_id" : ""})
     ${points}${isFasttrackml ? `, 1${context}` : ""} ${values}`,
    `insert into params (key, ${isFasttrackml ? "value_str" : "value"}, run_uuid)
     select 'param_' || k, ${paramSql}, ${uuid} ${values}`,
    `insert into tags (key, value, run_uuid)
     select tag.key, tag.value, ${uuid} from ${runs}, lateral ${allTagsSql}`,
    `vacuum analyze`,
  ];
}

/** Makes an experiment of `count` runs and answers its id. Throws when they are not what the API would have made. */
export async function loadRuns(target: Target, count: number): Promise<string> {
  const experiment = await createExperiment(target, `search-${count}`);
  // First, so that the dictionaries of keys and contexts have their rows.
  const reference = await logRun(target, `${experiment}-reference`);
  const statements = target.name === "plinth" ? plinth : peer(target.name);
  for (const statement of statements) {
    await query(target.database, statement, statement.includes("$1") ? [experiment, count] : []);
  }
  const { rows } = await query<{ id: string }>(
    target.database,
    `select md5('bench ' || $1::text || ' 1') as id`,
    [experiment],
  );
  const answer = (await get(target, `runs/get?run_id=${rows[0]?.id}`)) as { run: Run };
  const [expected, found] = [describe(reference), describe(answer.run)];
  if (expected !== found) {
    throw new Error(
      `${target.name}: a run written into the tables is not the one the API makes:\n${found}\n${expected}`,
    );
  }
  return experiment;
}

/** Run 1 as a client logs it. */
async function logRun(target: Target, name: string): Promise<Run> {
  const experiment = await createExperiment(target, name);
  const { info } = await createRun(target, experiment, "run-1");
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, k) => k);
  await post(target, "runs/log-batch", {
    run_id: info.run_id,
    metrics: numbers(METRICS).map((k) => ({
      key: `metric_${k}`,
      value: metricOf(1, k),
      timestamp: FIRST_START + 1000,
      step: 0,
    })),
    params: numbers(PARAMS).map((k) => ({ key: `param_${k}`, value: paramOf(1, k) })),
    tags: [],
  });
  const answer = (await get(target, `runs/get?run_id=${info.run_id}`)) as { run: Run };
  return answer.run;
}

function describe({ info, data }: Run): string {
  const sorted = (items: readonly { key: string }[] | undefined): string[] =>
    (items ?? []).map((item) => JSON.stringify(item, Object.keys(item).toSorted())).toSorted();
  return [info.run_name, ...sorted(data.metrics), ...sorted(data.params), ...sorted(data.tags)].join("\n");
}

export type Search = { filter?: string; order_by: string[]; max_results: number };

export const filtered: Search = {
  filter: "params.param_0 = 'v0' and metrics.metric_0 < 1",
  order_by: ["metrics.metric_1 DESC"],
  max_results: 1000,
};

export const ordered: Search = { order_by: ["metrics.metric_2 DESC"], max_results: 1000 };

/** The names of the runs that a search must answer, in order. */
export function expectedNames(search: Search, count: number): string[] {
  const isFiltered = search.filter !== undefined;
  const sortedBy = isFiltered ? 1 : 2;
  return Array.from({ length: count }, (_, i) => i + 1)
    .filter((n) => !isFiltered || (paramOf(n, 0) === "v0" && metricOf(n, 0) < 1))
    .toSorted((a, b) => metricOf(b, sortedBy) - metricOf(a, sortedBy))
    .slice(0, search.max_results)
    .map((n) => `run-${n}`);
}
