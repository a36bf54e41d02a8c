// `plinth import` as users run it.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild, type Child } from "../src/process.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

export function startImport(dataDir: string, args: readonly string[]): Child {
  return startChild(
    join(root, "node_modules", ".bin", "node"),
    [join(root, "cli", "src", "main.ts"), "import", "mlflow", "--json", "--data-dir", dataDir, ...args],
    { cwd: root },
  );
}

export type Report = {
  state: string;
  entities: { entity: string; source: number | null; read: number; plinth: number }[];
  runs_compared: number;
  artifacts: { files: number };
  not_imported: Record<string, number>;
};

/** Runs an import to its end; throws with all it said when that is not a good one. */
export async function runImport(dataDir: string, args: readonly string[]): Promise<Report> {
  const child = startImport(dataDir, args);
  const code = await child.ended;
  const output = child.output();
  const start = output.indexOf("{\n");
  if (code !== 0 || start === -1) throw new Error(`plinth import ended with ${code}:\n${output}`);
  // Events on standard error are lines; the report on standard output has many, and is the last.
  const end = output.lastIndexOf("\n}\n");
  return JSON.parse(output.slice(start, end + 2)) as Report;
}
