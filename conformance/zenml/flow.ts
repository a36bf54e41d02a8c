// Runs one Python flow with a real ZenML client in its own process; the flow prints one JSON line with what it saw.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureZenml, type ZenmlVersion } from "../src/environment.ts";
import { startChild } from "../src/process.ts";
import { admin } from "../src/target.ts";

/** Where the flows are, for those that give a PYTHONPATH of their own. */
export const scripts = join(dirname(fileURLToPath(import.meta.url)), "python");

export interface ZenmlFlow {
  readonly version: ZenmlVersion;
  /** Name of the script in zenml/python, without `.py`. */
  readonly script: string;
  readonly url: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The folder of the environment with the client; the one with nothing but the client unless given. */
  readonly environment?: string;
}

/** How a process logs in by itself. */
export const asAdmin = (url: string): NodeJS.ProcessEnv => ({
  ZENML_STORE_URL: url,
  ZENML_STORE_USERNAME: admin.username,
  ZENML_STORE_PASSWORD: admin.password,
});

/** What the flow printed as seen. */
export async function runZenmlFlow<Seen = Readonly<Record<string, unknown>>>(flow: ZenmlFlow): Promise<Seen> {
  const { version, script, url, args = [], env } = flow;
  const environment = flow.environment ?? (await ensureZenml(version));
  // Its configuration and what it remembers of logins; each flow is a machine of its own.
  const folder = mkdtempSync(join(tmpdir(), "zenml-flow-"));
  try {
    const child = startChild(
      join(environment, "bin", "python"),
      [join(scripts, `${script}.py`), url, ...args.map((one) => one.replaceAll("{home}", folder))],
      {
        cwd: folder,
        env: {
          HOME: folder,
          ZENML_CONFIG_PATH: folder,
          ZENML_ANALYTICS_OPT_IN: "false",
          PYTHONPATH: scripts,
          PYTHONWARNINGS: "ignore",
          GIT_PYTHON_REFRESH: "quiet",
          ...env,
        },
      },
    );
    const code = await child.ended;
    const output = child.output();
    const line = output.split("\n").findLast((candidate) => candidate.startsWith("OBSERVED "));
    if (code !== 0 || line === undefined) {
      throw new Error(`${script}.py with zenml ${version} ended with ${code}:\n${output}`);
    }
    return JSON.parse(line.slice("OBSERVED ".length)) as Seen;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
