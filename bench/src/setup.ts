// What the bench needs besides Plinth: wrk and nginx from Debian, the peers from PyPI.
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isInstalled, run } from "./process.ts";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const cache = join(root, ".venv");

const UV = "uv==0.13.8";

export const peers = {
  // FastTrackML's wheel holds a whole Go binary; its Python dependencies are never loaded by it.
  mlflow: { title: "MLflow 3.17.2", packages: ["mlflow==3.17.2", "psycopg[binary]==3.3.9"], options: [] },
  fasttrackml: { title: "FastTrackML 0.6.0", packages: ["fasttrackml==0.6.0"], options: ["--no-deps"] },
  zenml: { title: "ZenML 0.98.0", packages: ["zenml[server]==0.98.0"], options: [] },
} as const;

export type PeerName = keyof typeof peers;

/** The folder of the virtual environment that holds this peer; made when it is missing. */
export function ensurePeer(name: PeerName): string {
  const { packages, options } = peers[name];
  const folder = join(cache, `bench-${name}`);
  make(folder, packages, () => {
    const uv = ensureUv();
    run(uv, ["venv", "--quiet", "--python", "python3", folder]);
    const python = join(folder, "bin", "python");
    run(uv, ["pip", "install", "--quiet", "--python", python, ...options, ...packages]);
  });
  return folder;
}

function ensureUv(): string {
  const folder = join(cache, "bench-uv");
  make(folder, [UV], () => {
    run("python3", ["-m", "venv", folder]);
    run(join(folder, "bin", "pip"), ["install", "--quiet", UV]);
  });
  return join(folder, "bin", "uv");
}

/** A folder without the stamp was cut short while it was made, and is made anew. */
function make(folder: string, packages: readonly string[], create: () => void): void {
  const stamp = join(folder, `bench-stamp-${packages.join("-").replaceAll(/[^\w.-]/g, "_")}`);
  if (existsSync(stamp)) return;
  note(`making ${folder} (once) ...`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  create();
  writeFileSync(stamp, "");
}

export function ensureWrk(): void {
  if (isInstalled("wrk") || installFromDebian("wrk")) return;
  throw new Error("The bench makes its load with wrk: install it (Debian: apt-get install wrk).");
}

/** False when nginx is not there and cannot be installed. */
export function ensureNginx(): boolean {
  if (isInstalled("nginx") || installFromDebian("nginx")) return true;
  note("no nginx to compare the download with: it is missing, and installing it takes root on Debian");
  return false;
}

function installFromDebian(name: string): boolean {
  if (process.getuid?.() !== 0 || !isInstalled("apt-get")) return false;
  note(`installing ${name} ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  run("apt-get", ["update", "-qq"], { env });
  run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", name], { env });
  return true;
}

export const note = (text: string): void => {
  process.stderr.write(`bench: ${text}\n`);
};
