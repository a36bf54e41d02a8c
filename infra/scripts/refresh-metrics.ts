// Writes infra/data/metrics/plinth.json, the names and types of Plinth's metrics, as a running server tells them:
//   node cli/src/main.ts up --port 5000
//   node infra/scripts/refresh-metrics.ts http://127.0.0.1:5000/metrics
// Alerts and dashboards use no other names. The tables of other projects are written by hand, with the place each name is from.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const address = process.argv[2];
if (address === undefined) throw new Error("Give the address of /metrics of a running server.");
const answer = await fetch(address);
if (!answer.ok) throw new Error(`${address} answered ${answer.status}.`);
const types = [...(await answer.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
const metrics = Object.fromEntries(
  types
    .map(([, name = "", type = ""]): [string, string] => [name, type])
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);
const file = join(import.meta.dirname, "..", "data", "metrics", "plinth.json");
writeFileSync(
  file,
  `${JSON.stringify({ source: "/metrics of the server of this repository", metrics }, null, 2)}\n`,
);
