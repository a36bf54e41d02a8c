// Holds what the server has against what it acknowledged.
import { artifactPath, call, type Client, type Run } from "./client.ts";
import {
  BATCH_METRIC,
  BATCH_POINTS,
  batchKeys,
  contentOf,
  METRIC,
  textOf,
  valueOf,
  type Write,
} from "./write.ts";
import type { Ledger } from "./writers.ts";

type Stored = {
  /** By metric and step: how many points there are. */
  points: Map<string, Map<number, number>>;
  params: Map<string, string>;
  tags: Map<string, string>;
};

/** Everything that is not as it must be, in words; empty when all is well. */
export async function verify(client: Client, ledger: Ledger, experiment: string): Promise<string[]> {
  const complaints = [...ledger.wrong];
  const writes = [
    ...ledger.acknowledged.map((write) => ({ write, isAcknowledged: true })),
    ...ledger.uncertain.map((write) => ({ write, isAcknowledged: false })),
  ];
  const names = await readRunNames(client, experiment);
  const stored = new Map<string, Stored>();
  for (const { write, isAcknowledged } of writes) {
    if (write.kind === "run") {
      const count = names.get(write.name) ?? 0;
      complain(complaints, write.name, { count, of: 1, isAcknowledged });
    } else if (write.kind === "artifact") {
      const count = await countArtifact(client, write, complaints);
      complain(complaints, write.name, { count, of: 1, isAcknowledged });
    } else {
      const id = write.run.info.run_id;
      const run = stored.get(id) ?? (await readRun(client, write.run, complaints));
      stored.set(id, run);
      const { what, count, of } = countIn(run, write);
      complain(complaints, `run ${id}: ${what}`, { count, of, isAcknowledged });
    }
  }
  return complaints;
}

type Found = { count: number; of: number; isAcknowledged: boolean };

function complain(complaints: string[], what: string, { count, of, isAcknowledged }: Found): void {
  if (count === of || (count === 0 && !isAcknowledged)) return;
  const status = isAcknowledged ? "was acknowledged" : "was never answered";
  complaints.push(`${what} ${status}, and ${count} of ${of} is there`);
}

/** How much of the write is there, of how much; more than once counts as more. */
function countIn(run: Stored, write: Extract<Write, { kind: "metric" | "batch" | "param" | "tag" }>) {
  const pointsAt = (metric: string, step: number): number => run.points.get(metric)?.get(step) ?? 0;
  const pairIn = (pairs: Map<string, string>, key: string): number =>
    pairs.get(key) === textOf(key) ? 1 : 0;
  switch (write.kind) {
    case "metric":
      return { what: `step ${write.step}`, count: pointsAt(METRIC, write.step), of: 1 };
    case "param":
      return { what: write.key, count: pairIn(run.params, write.key), of: 1 };
    case "tag":
      return { what: write.key, count: pairIn(run.tags, write.key), of: 1 };
    case "batch": {
      const steps = Array.from({ length: BATCH_POINTS }, (_, i) => pointsAt(BATCH_METRIC, write.first + i));
      const pairs = batchKeys(write.first).flatMap((key) => [pairIn(run.params, key), pairIn(run.tags, key)]);
      const parts = [...steps, ...pairs];
      const count = parts.reduce((sum, part) => sum + part, 0);
      // One point twice and another missing must not add up to a whole.
      const isUneven = parts.some((part) => part > 1);
      return { what: `batch ${write.first}`, count: isUneven ? -1 : count, of: parts.length };
    }
  }
}

async function readRun(client: Client, { info }: Run, complaints: string[]): Promise<Stored> {
  const { run } = await call<{ run: Run }>(client, "GET", `runs/get?run_id=${info.run_id}`);
  const points = new Map<string, Map<number, number>>();
  for (const metric of [METRIC, BATCH_METRIC]) {
    const counts = new Map<number, number>();
    for (const { step, value } of await readHistory(client, info.run_id, metric)) {
      counts.set(step, (counts.get(step) ?? 0) + 1);
      if (value !== valueOf(step)) complaints.push(`run ${info.run_id}: step ${step} has the value ${value}`);
    }
    points.set(metric, counts);
    const latest = run.data.metrics?.find(({ key }) => key === metric)?.step;
    const last = counts.size === 0 ? undefined : Math.max(...counts.keys());
    if (latest !== last)
      complaints.push(`run ${info.run_id}: ${metric} is at ${latest}, its history at ${last}`);
  }
  const pairs = (list: { key: string; value: string }[] = []): Map<string, string> =>
    new Map(list.map(({ key, value }) => [key, value]));
  return { points, params: pairs(run.data.params), tags: pairs(run.data.tags) };
}

async function readHistory(
  client: Client,
  run: string,
  metric: string,
): Promise<{ step: number; value: number }[]> {
  const found: { step: number; value: number }[] = [];
  let token = "";
  do {
    const page = await call<{ metrics?: typeof found; next_page_token?: string }>(
      client,
      "GET",
      `metrics/get-history?run_id=${run}&metric_key=${metric}&max_results=25000&page_token=${encodeURIComponent(token)}`,
    );
    found.push(...(page.metrics ?? []));
    token = page.next_page_token ?? "";
  } while (token !== "");
  return found;
}

async function readRunNames(client: Client, experiment: string): Promise<Map<string, number>> {
  const names = new Map<string, number>();
  let token = "";
  do {
    const page = await call<{ runs?: Run[]; next_page_token?: string }>(client, "POST", "runs/search", {
      experiment_ids: [experiment],
      max_results: 5000,
      page_token: token,
    });
    for (const { info } of page.runs ?? []) names.set(info.run_name, (names.get(info.run_name) ?? 0) + 1);
    token = page.next_page_token ?? "";
  } while (token !== "");
  return names;
}

async function countArtifact(
  client: Client,
  { run, name, size }: Extract<Write, { kind: "artifact" }>,
  complaints: string[],
): Promise<number> {
  const answer = await client.send("GET", artifactPath(run, name));
  if (answer.status === 404) return 0;
  const isWhole = answer.status === 200 && answer.body.equals(contentOf(name, size));
  if (!isWhole)
    complaints.push(`${name} answers ${answer.status} with ${answer.body.byteLength} of ${size} bytes`);
  return 1;
}
