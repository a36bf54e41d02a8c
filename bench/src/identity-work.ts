// What it costs a request to say who sends it: node bench/src/identity-work.ts [--seconds N] [--rounds N] [--mixed]
// One open server on loopback, with 100,000 users and 1,000,000 grants; the same requests without credentials (of the
// local administrator), of editors, and of users with ten single grants each, in turns. Requests without credentials
// carry the same bytes in a header that nobody reads, so that the load generator has the same work. What keys and grants
// mean is known to the process after the first request of each, as in use.
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createExperiment, createRuns } from "./api.ts";
import { fillIdentity, kinds } from "./identity-data.ts";
import { describeMachine } from "./machine.ts";
import { median } from "./measurement.ts";
import { stopEverything } from "./process.ts";
import { query, readVersion, removeFolder } from "./postgres.ts";
import { settle, ticksOfProcess, TICKS_PER_SECOND } from "./settle.ts";
import { ensureWrk, note } from "./setup.ts";
import { startTarget, type Target } from "./target.ts";
import { acknowledgedOf, errorsOf, runWrk } from "./wrk.ts";

const BAR_PERCENT = 5;
const works = [
  { name: "runs/get", script: "get-run", connections: 32 },
  { name: "log-metric", script: "log-metric", connections: 32 },
] as const;

type Round = { microseconds: number; rate: number; errors: number };

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "7" },
    // Callers take turns on every connection, as behind a proxy.
    mixed: { type: "boolean", default: false },
  },
});
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];

/** Processor time of the server's own process for one answered request. */
async function measure(target: Target, load: Parameters<typeof runWrk>[1]): Promise<Round> {
  const [pid] = target.pids;
  const before = ticksOfProcess(pid ?? 0);
  const result = await runWrk(target.url, load);
  const spent = (ticksOfProcess(pid ?? 0) - before) / TICKS_PER_SECOND;
  const answered = acknowledgedOf(result);
  return {
    microseconds: (spent * 1e6) / answered,
    rate: answered / result.seconds,
    errors: errorsOf(result),
  };
}

const folder = mkdtempSync(join(tmpdir(), "plinth-bench-"));
chmodSync(folder, 0o755);
try {
  ensureWrk();
  const target = await startTarget("plinth", join(folder, "plinth"), {});
  for (const line of describeMachine(await readVersion(target.database))) note(line);
  const experiment = await createExperiment(target, "identity");
  const runs = join(folder, "runs");
  writeFileSync(runs, (await createRuns(target, experiment, 64)).join("\n"));
  const credentials = await fillIdentity(target.database, experiment);
  const counts = await query<{ principals: string; grants: string }>(
    target.database,
    "select (select count(*) from identity.principals) as principals, (select count(*) from identity.grants) as grants",
  );
  note(`${counts.rows[0]?.principals} principals, ${counts.rows[0]?.grants} grants`);
  for (const kind of kinds) writeFileSync(join(folder, kind.replace(" ", "-")), credentials[kind].join("\n"));
  const callers = ["open", ...kinds] as const;
  for (const { name, script, connections } of works) {
    const loadOf = (caller: (typeof callers)[number], length: number): Parameters<typeof runWrk>[1] => ({
      script,
      connections,
      threads: connections,
      seconds: length,
      options: {
        runs,
        now: Date.now(),
        first: Math.floor(performance.now()) * 1000,
        credentials: join(folder, (caller === "open" ? "editor" : caller).replace(" ", "-")),
        ...(values.mixed ? { mixed: 1 } : {}),
        header: caller === "open" ? "X-Nobody-Read" : "Authorization",
      },
    });
    for (const caller of callers) await runWrk(target.url, loadOf(caller, 3));
    await settle(target.pids, 20);
    const found = new Map<string, Round[]>();
    for (let round = 0; round < rounds; round += 1) {
      // In turns, and not always in the same order: the machine is not the same all the time.
      for (const caller of round % 2 === 0 ? callers : callers.toReversed()) {
        const one = await measure(target, loadOf(caller, seconds));
        found.set(caller, [...(found.get(caller) ?? []), one]);
      }
    }
    const middle = (caller: string): Round =>
      median(found.get(caller) ?? [], ({ microseconds }) => microseconds);
    const open = middle("open");
    for (const caller of callers) {
      const { microseconds, rate } = middle(caller);
      const more = (microseconds / open.microseconds - 1) * 100;
      const errors = (found.get(caller) ?? []).reduce((sum, one) => sum + one.errors, 0);
      note(
        `${name} of ${caller}: ${microseconds.toFixed(1)} µs of server time, ${Math.round(rate)} requests/s, ` +
          `${more.toFixed(1)} % more than open, ${errors} errors`,
      );
      if (errors > 0 || more > BAR_PERCENT) process.exitCode = 1;
    }
  }
} finally {
  await stopEverything();
  removeFolder(folder);
}
note(`The bar is ${BAR_PERCENT} %.`);
