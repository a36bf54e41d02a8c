// Runs one Python flow with a real ZenML client in its own process; the flow prints one JSON line with what it saw.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureZenml, type ZenmlVersion } from "../src/environment.ts";
import { startChild } from "../src/process.ts";

const scripts = join(dirname(fileURLToPath(import.meta.url)), "python");

export interface ZenmlFlow {
  readonly version: ZenmlVersion;
  /** Name of the script in zenml/python, without `.py`. */
  readonly script: string;
  readonly url: string;
  readonly env?: NodeJS.ProcessEnv;
}

export async function runZenmlFlow({
  version,
  script,
  url,
  env,
}: ZenmlFlow): Promise<Readonly<Record<string, unknown>>> {
  const environment = await ensureZenml(version);
  // Its configuration and what it remembers of logins; each flow is a machine of its own.
  const folder = mkdtempSync(join(tmpdir(), "zenml-flow-"));
  try {
    const child = startChild(join(environment, "bin", "python"), [join(scripts, `${script}.py`), url], {
      cwd: folder,
      env: {
        HOME: folder,
        ZENML_CONFIG_PATH: folder,
        ZENML_ANALYTICS_OPT_IN: "false",
        PYTHONDONTWRITEBYTECODE: "1",
        PYTHONWARNINGS: "ignore",
        ...env,
      },
    });
    const code = await child.ended;
    const line = child
      .output()
      .split("\n")
      .findLast((candidate) => candidate.startsWith("OBSERVED "));
    if (code !== 0 || line === undefined) {
      throw new Error(`${script}.py with zenml ${version} ended with ${code}:\n${child.output()}`);
    }
    return JSON.parse(line.slice("OBSERVED ".length)) as Readonly<Record<string, unknown>>;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
