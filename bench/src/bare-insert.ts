// What PostgreSQL alone takes: a loop of set-based inserts into Plinth's own table of points, run as a process of
// its own. Arguments: the database as JSON, seconds, connections. Prints {"points", "seconds"}.
import { argv, stdout } from "node:process";
import pg from "pg";

const POINTS = 1000;
/** Series that no run has; their rows are removed at the end. */
const FIRST_SERIES = 2_000_000_000;

const [, , database = "{}", seconds = "10", connections = "8"] = argv;

const array = (valueOf: (i: number) => number): string =>
  `{${Array.from({ length: POINTS }, (_, i) => valueOf(i)).join(",")}}`;

// Written once: the loop measures the database, not this process. Ten series of a hundred steps, spread over
// as many series in all as the requests of the same size write to.
const RUNS = 32;
const values = array(() => Math.random());
const steps = array((i) => Math.floor(i / 10));
const started = Date.now();

async function insertUntil(end: number, connection: number): Promise<number> {
  const client = new pg.Client(JSON.parse(database) as pg.ClientConfig);
  await client.connect();
  const own = Array.from({ length: Math.ceil(RUNS / Number(connections)) }, (_, run) =>
    array((i) => FIRST_SERIES + (run * Number(connections) + connection) * 10 + (i % 10)),
  );
  let points = 0;
  while (performance.now() < end) {
    const series = own[(points / POINTS) % own.length];
    const times = array((i) => started + points / 10 + Math.floor(i / 10));
    await client.query({
      name: "insert-points",
      text: `insert into tracking.metric_points (value, timestamp, series_id, step)
             select * from unnest($1::float8[], $2::bigint[], $3::integer[], $4::integer[])`,
      values: [values, times, series, steps],
    });
    points += POINTS;
  }
  await client.end();
  return points;
}

const since = performance.now();
const end = since + Number(seconds) * 1000;
const counts = await Promise.all(
  Array.from({ length: Number(connections) }, (_, connection) => insertUntil(end, connection)),
);
const took = (performance.now() - since) / 1000;

const cleaner = new pg.Client(JSON.parse(database) as pg.ClientConfig);
await cleaner.connect();
const { rowCount } = await cleaner.query("delete from tracking.metric_points where series_id >= $1", [
  FIRST_SERIES,
]);
await cleaner.end();

const points = counts.reduce((sum, count) => sum + count, 0);
stdout.write(`${JSON.stringify({ points, stored: rowCount, seconds: took })}\n`);
