// The results as Markdown: ratios next to their bars, then every number.
import { rows, type Bar } from "./bars.ts";
import { isRate, type Measurement, type MetricName } from "./measurement.ts";
import { titles } from "./target.ts";

type Who = Measurement["target"];

export type Verdict = { text: string; met: boolean };

export type Report = {
  date: string;
  machine: readonly string[];
  notes: readonly string[];
  measurements: readonly Measurement[];
};

export function renderReport({ date, machine, notes, measurements }: Report): string {
  const find = (metric: MetricName, target: Who): Measurement | undefined =>
    measurements.find((found) => found.metric === metric && found.target === target);
  const measured = rows.filter(({ metric }) => measurements.some((found) => found.metric === metric));
  const summary = measured.map(({ metric, title, bars }) => {
    const cell = (target: Who): string => showValue(find(metric, target));
    const verdicts = bars.flatMap((bar) => judge(metric, bar, find) ?? []);
    const mark = verdicts.length === 0 ? "" : verdicts.every(({ met }) => met) ? "pass" : "**fail**";
    const bar = verdicts.map(({ text }) => text).join("; ");
    return [title, cell("plinth"), cell("mlflow"), cell("fasttrackml"), bar, mark];
  });
  const details = measured.flatMap(({ metric, title }) =>
    measurements
      .filter((found) => found.metric === metric)
      .map((found) => [title, nameOf(found.target), ...detailsOf(found)]),
  );
  return [
    "# Benchmark results",
    "",
    `Made by \`npm run bench\` on ${date}.`,
    "",
    ...[...machine, ...notes].map((line) => `- ${line}`),
    "",
    ...table(["work", titles.plinth, titles.mlflow, titles.fasttrackml, "ratio (bar)", ""], summary),
    "",
    "Times of many requests are milliseconds; memory is MiB of PSS right after the work, the database apart.",
    "",
    ...table(
      ["work", "server", "median", "p50", "p99", "errors", "server MiB", "PostgreSQL MiB", "check"],
      details,
    ),
    "",
  ].join("\n");
}

/** What the check of stored data and answers found wrong, and the bars that are missed. */
export function failuresOf(measurements: readonly Measurement[]): string[] {
  const find = (metric: MetricName, target: Who): Measurement | undefined =>
    measurements.find((found) => found.metric === metric && found.target === target);
  const wrong = measurements
    .filter(({ check }) => check !== undefined && !check.ok)
    .map(({ metric, target, check }) => `${nameOf(target)}, ${metric}: ${check?.text ?? ""}`);
  const missed = rows.flatMap(({ metric, bars }) =>
    bars
      .flatMap((bar) => judge(metric, bar, find) ?? [])
      .filter(({ met }) => !met)
      .map(({ text }) => `${metric}: ${text}`),
  );
  return [...wrong, ...missed];
}

/** Nothing when one of the numbers it needs was not measured. */
function judge(
  metric: MetricName,
  bar: Bar,
  find: (metric: MetricName, target: Who) => Measurement | undefined,
): Verdict | undefined {
  const own = find(metric, "plinth");
  if (own === undefined) return undefined;
  switch (bar.kind) {
    case "ratio": {
      const peer = find(metric, bar.than);
      if (peer === undefined) return undefined;
      const ratio = isRate(own.unit) ? own.value / peer.value : peer.value / own.value;
      return { text: `${showNumber(ratio)}x ${nameOf(bar.than)} (${bar.least}x)`, met: ratio >= bar.least };
    }
    case "share": {
      const whole = find(bar.of, "plinth");
      if (whole === undefined) return undefined;
      const share = (own.value * bar.perUnit) / whole.value;
      const text = `${(share * 100).toFixed(0)} % of the bare loop (${bar.least * 100} %)`;
      return { text, met: share >= bar.least };
    }
    case "growth": {
      const base = find(bar.over, "plinth");
      if (base === undefined) return undefined;
      const growth = own.value / base.value;
      return { text: `${growth.toFixed(2)}x its own time at 25,000 (${bar.most}x)`, met: growth <= bar.most };
    }
    case "most":
      return { text: `(at most ${bar.value} ${own.unit})`, met: own.value <= bar.value };
  }
}

function showValue(found: Measurement | undefined): string {
  return found === undefined ? "" : `${showNumber(found.value)} ${found.unit}`;
}

function detailsOf(found: Measurement): string[] {
  const { p50, p99, errors, serverMemory, postgresMemory, check } = found;
  const show = (value: number | undefined): string => (value === undefined ? "" : showNumber(value));
  const checked = check === undefined ? "" : `${check.ok ? "" : "**WRONG** "}${check.text}`;
  return [
    showValue(found),
    show(p50),
    show(p99),
    errors === undefined ? "" : String(errors),
    show(serverMemory),
    show(postgresMemory),
    checked,
  ];
}

const nameOf = (target: Who): string => (target === "nginx" ? "nginx" : titles[target]);

/** Three digits that count. */
function showNumber(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function table(header: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...lines.map(line)];
}
