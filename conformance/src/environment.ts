// Virtual environments with the real clients: made once in an ignored folder, stamped with what they hold.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const requirements = join(here, "..", "requirements");
const cache = process.env["PLINTH_CACHE_DIR"] ?? join(here, "..", "..", ".venv");

/** What Python makes of sources is kept, beside the environments and not in them: importing a client takes half the time. */
export const bytecode = {
  PYTHONPYCACHEPREFIX: join(cache, "bytecode"),
  PYTHONDONTWRITEBYTECODE: "",
} as const;

export const clients = ["3.17.2", "2.9.2"] as const;
export type ClientVersion = (typeof clients)[number];

/** The folder of the environment that holds this client, made when it is missing. */
export const ensureClient = (version: ClientVersion): Promise<string> => ensureLocked(`mlflow-${version}`);

/** The folder of the environment with the tools that people analyse exports with. */
export const ensureAnalysis = (): Promise<string> => ensureLocked("analysis");

/** The folder of the environment with the database drivers that MLflow does not bring, to go before its own libraries. */
export const ensureDrivers = (): Promise<string> => ensureLocked("drivers");

/** The folder of the environment with what `mlflow server --app-name basic-auth` needs besides MLflow itself. */
export const ensureAuth = (): Promise<string> => ensureLocked("auth");

/** The folder of the environment with the linters of files that people deploy: `hadolint`, `shellcheck`. */
export const ensureLinters = (): Promise<string> => ensureLocked("linters");

export const zenmlClients = ["0.98.0", "0.84.0"] as const;
export type ZenmlVersion = (typeof zenmlClients)[number];

/** The folder of the environment with ZenML's client; of the version that outputs install the server of unless said. */
export const ensureZenml = (version: ZenmlVersion = "0.98.0"): Promise<string> =>
  ensureLocked(version === "0.98.0" ? "zenml" : `zenml-${version}`);

/** The folder of the environment with ZenML's own server. */
export const ensureZenmlServer = (version: ZenmlVersion): Promise<string> =>
  ensureLocked(version === "0.98.0" ? "zenml-server" : `zenml-server-${version}`);

/** The folder of the environment with ZenML's client and what its integrations with S3 and MLflow need. */
export const ensureZenmlIntegrations = (version: ZenmlVersion): Promise<string> =>
  ensureLocked(version === "0.98.0" ? "zenml-integrations" : `zenml-integrations-${version}`);

/** The folder of the environment with how ZenML's clients speak to Azure's storage, to go before their own libraries. */
export const ensureAzure = (): Promise<string> => ensureLocked("azure");

/** The folder with Azurite, Microsoft's own emulator of Azure's storage, from the registry of npm (350 MB). */
export async function ensureAzurite(): Promise<string> {
  const folder = join(cache, "azurite");
  const manifest = join(requirements, "azurite.json");
  await makeOnce(folder, [manifest], () => {
    mkdirSync(folder, { recursive: true });
    copyFileSync(manifest, join(folder, "package.json"));
    const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
    // What it needs is of the day of its release, and no package runs anything to install itself.
    const pinned = ["--ignore-scripts", "--omit=optional", "--before=2026-08-26"];
    run("npm", ["install", "--prefix", folder, ...quiet, ...pinned]);
  });
  return folder;
}

/** The folder of the environment with `moto_server`, which speaks S3 and STS. */
export const ensureMoto = (): Promise<string> => ensureLocked("moto");

/** The folder of the environment with Go, for machines that have none. */
export const ensureGo = (): Promise<string> => ensureLocked("go");

async function ensureLocked(name: string): Promise<string> {
  const environment = join(cache, name);
  const locked = join(requirements, `${name}.txt`);
  const overrides = join(requirements, "overrides.txt");
  await makeOnce(environment, [locked, overrides], (python) => {
    const uv = join(cache, "uv", "bin", "uv");
    run(uv, ["venv", "--quiet", "--python", python, environment]);
    const target = join(environment, "bin", "python");
    run(uv, ["pip", "install", "--quiet", "--python", target, "--overrides", overrides, "-r", locked]);
  });
  return environment;
}

async function ensureUv(): Promise<void> {
  const environment = join(cache, "uv");
  const locked = join(requirements, "uv.txt");
  await makeOnce(environment, [locked], (python) => {
    const made = spawnSync(python, ["-m", "venv", environment], { encoding: "utf8" });
    if (made.status !== 0) {
      throw new Error(
        `'${python} -m venv' failed: ${made.stdout}${made.stderr}\n` +
          "Install Python's venv module (Debian: apt-get install python3-venv).",
      );
    }
    run(join(environment, "bin", "pip"), ["install", "--quiet", "-r", locked]);
  });
}

/**
 * Makes `environment` unless its stamp says that it already holds these files' content. A folder lock keeps
 * concurrent runs apart; a half-made environment has no stamp and is thrown away.
 */
async function makeOnce(
  environment: string,
  inputs: readonly string[],
  make: (python: string) => void,
): Promise<void> {
  const python = findPython();
  const hash = createHash("sha256").update(python.version);
  for (const input of inputs) hash.update(readFileSync(input));
  const wanted = hash.digest("hex");
  const stamp = join(environment, "plinth-stamp");
  const isCurrent = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (isCurrent()) return;
  if (!environment.endsWith("/uv")) await ensureUv();
  mkdirSync(cache, { recursive: true });
  const release = await lock(`${environment}.lock`);
  try {
    if (isCurrent()) return;
    process.stderr.write(`conformance: making ${environment} (once) ...\n`);
    rmSync(environment, { recursive: true, force: true });
    make(python.path);
    writeFileSync(stamp, wanted);
  } finally {
    release();
  }
}

let foundPython: { path: string; version: string } | undefined;

function findPython(): { path: string; version: string } {
  if (foundPython) return foundPython;
  const path = process.env["PLINTH_PYTHON"] ?? "python3";
  const code =
    "import sys; print(sys.executable); print('.'.join(map(str, sys.version_info[:3])));" +
    " sys.exit(0 if (3, 10) <= sys.version_info[:2] <= (3, 12) else 1)";
  const asked = spawnSync(path, ["-c", code], { encoding: "utf8" });
  const [executable, version] = (asked.stdout ?? "").trim().split("\n");
  if (asked.error || !executable || !version) {
    throw new Error(
      `The conformance suites drive real Python clients, but '${path}' does not run: ` +
        "install Python 3.11 and its venv module (Debian: apt-get install python3 python3-venv), or set PLINTH_PYTHON.",
    );
  }
  if (asked.status !== 0) {
    throw new Error(
      `Both MLflow clients install on Python 3.10 to 3.12; '${path}' is ${version}. Set PLINTH_PYTHON to such a Python.`,
    );
  }
  foundPython = { path: executable, version };
  return foundPython;
}

/** A directory is made atomically by mkdir; a lock older than 20 minutes belongs to a run that died. */
async function lock(path: string): Promise<() => void> {
  const stale = 20 * 60_000;
  for (;;) {
    try {
      mkdirSync(path);
      return () => rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > stale) rmSync(path, { recursive: true, force: true });
      else await sleep(250);
    }
  }
}

function run(command: string, args: readonly string[]): void {
  const done = spawnSync(command, args, { encoding: "utf8", maxBuffer: 64 << 20 });
  if (done.error) throw new Error(`${command} does not start: ${done.error.message}`);
  if (done.status !== 0) {
    throw new Error(`'${command} ${args.join(" ")}' ended with ${done.status}: ${done.stdout}${done.stderr}`);
  }
}
