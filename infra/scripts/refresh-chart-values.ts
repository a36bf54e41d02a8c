// Writes files of infra/data/charts again, from unpacked charts:
//   helm pull oci://public.ecr.aws/zenml/zenml --untar
//   node infra/scripts/refresh-chart-values.ts --repository public.ecr.aws/zenml/zenml zenml
// The repository is where the chart is published: an OCI address without its scheme, or an https:// address. It may be left out for a
// chart that has a file already. What the chart does not tell (enum, k8s, exclusive) is kept from the file before.
import { readdirSync, readFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import type { ChartFile, ValueNode } from "../src/schemas/charts.ts";
import { chartFile, type UnpackedChart } from "./chart-values.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repository: { type: "string" },
    out: { type: "string", default: join(import.meta.dirname, "..", "data", "charts") },
  },
});
const { out } = options;
if (positionals.length === 0) {
  process.stderr.write(
    "usage: refresh-chart-values.ts [--repository ADDRESS] [--out FOLDER] CHART_FOLDER...\n",
  );
  process.exit(2);
}

for (const folder of positionals) {
  const chart = unpacked(folder);
  const { path, before } = fileBefore(chart.about.name);
  const repository = options.repository ?? before?.repository;
  if (repository === undefined)
    throw new Error(`${chart.about.name} has no file yet: say where it is published with --repository.`);
  const transport = before?.transport ?? (repository.startsWith("http") ? "HTTP" : "OCI");
  const file = chartFile(chart, { repository, transport, before });
  writeFileSync(path, JSON.stringify(file));
  const [now, then] = [pathsOf(file.values), pathsOf(before?.values ?? {})];
  process.stdout.write(`${path}: ${file.chart} ${file.version}, ${now.length} values\n`);
  for (const one of now) if (!then.includes(one)) process.stdout.write(`  new: ${one}\n`);
  for (const one of then) if (!now.includes(one)) process.stdout.write(`  gone: ${one}\n`);
}

function unpacked(folder: string): UnpackedChart {
  const read = (name: string): string | undefined =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : undefined;
  const templates = existsSync(join(folder, "templates"))
    ? readdirSync(join(folder, "templates"), { recursive: true, withFileTypes: true })
    : [];
  const schema = read("values.schema.json");
  return {
    about: parse(read("Chart.yaml") ?? "") as UnpackedChart["about"],
    values: parse(read("values.yaml") ?? "{}") as unknown,
    templates: templates
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8")),
    ...(schema === undefined ? {} : { schema: JSON.parse(schema) as unknown }),
  };
}

/** Two charts may have one name: the file is found by name, then by repository. */
function fileBefore(name: string): { path: string; before: ChartFile | undefined } {
  const files = readdirSync(out)
    .filter((file) => file.endsWith(".json") && file !== "k8s-types.json")
    .map((file) => ({
      path: join(out, file),
      before: JSON.parse(readFileSync(join(out, file), "utf8")) as ChartFile,
    }))
    .filter(
      ({ before }) =>
        before.chart === name &&
        (options.repository === undefined || before.repository === options.repository),
    );
  // Files of older versions carry the version in their name.
  const newest = files.find(({ path }) => !/-\d+\.\d+\.\d+\.json$/.test(path));
  return newest ?? { path: join(out, `${name}.json`), before: undefined };
}

function pathsOf(values: Readonly<Record<string, ValueNode>>, at = ""): string[] {
  return Object.entries(values).flatMap(([key, node]) => [
    `${at}${key}`,
    ...pathsOf(node.k ?? {}, `${at}${key}.`),
  ]);
}
