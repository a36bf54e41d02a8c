// Runs one Python flow with a real client in its own process; the flow prints one JSON line with what it saw.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureClient, type ClientVersion } from "./environment.ts";
import { startChild } from "./process.ts";

const scripts = join(dirname(fileURLToPath(import.meta.url)), "..", "mlflow", "python");

/** What a flow saw. The asserting test states the shape, so a wrong field shows as a failed assertion. */
export type Observations = Readonly<Record<string, unknown>>;

export interface Flow {
  readonly version: ClientVersion;
  /** Name of the script in mlflow/python, without `.py`. */
  readonly script: string;
  readonly url: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Environments whose libraries come before the client's own. */
  readonly libraries?: readonly string[];
}

export async function runFlow(flow: Flow): Promise<Observations> {
  const environment = await ensureClient(flow.version);
  const folder = mkdtempSync(join(tmpdir(), "mlflow-flow-"));
  try {
    const child = startChild(
      join(environment, "bin", "python"),
      [join(scripts, `${flow.script}.py`), flow.url, ...(flow.args ?? [])],
      {
        cwd: folder,
        env: {
          PATH: `${join(environment, "bin")}:${process.env["PATH"] ?? ""}`,
          HOME: folder,
          TMPDIR: folder,
          PYTHONPATH: [scripts, ...(flow.libraries ?? []).map(packagesOf)].join(":"),
          PYTHONWARNINGS: "ignore",
          // A shared machine's thread pools would only fight over two cores.
          OMP_NUM_THREADS: "1",
          MLFLOW_TRACKING_URI: flow.url,
          MLFLOW_DISABLE_TELEMETRY: "true",
          MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: "false",
          // An expected error must not be a status that the client retries; a retry would only hide it.
          MLFLOW_HTTP_REQUEST_MAX_RETRIES: "1",
          GIT_PYTHON_REFRESH: "quiet",
          ...flow.env,
        },
      },
    );
    const code = await child.ended;
    const lines = child.output().split("\n");
    const line = lines.findLast((candidate) => candidate.startsWith("OBSERVED "));
    if (code !== 0 || line === undefined) {
      throw new Error(`${flow.script}.py with mlflow ${flow.version} ended with ${code}:\n${child.output()}`);
    }
    return JSON.parse(line.slice("OBSERVED ".length)) as Observations;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where an environment of Python has its libraries. */
export function packagesOf(environment: string): string {
  const lib = join(environment, "lib");
  const python = readdirSync(lib).find((name) => name.startsWith("python")) ?? "";
  return join(lib, python, "site-packages");
}
