// One artifact of 1 GiB, up and down, with curl; and the same file from nginx.
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { createExperiment, createRun, send } from "./api.ts";
import type { Plan } from "./load-work.ts";
import { median, type Measurement } from "./measurement.ts";
import { watchGrowth } from "./memory.ts";
import { freePort, run, startProgram, waitForAnswer } from "./process.ts";
import { settle } from "./settle.ts";
import { ensureNginx } from "./setup.ts";
import type { Target } from "./target.ts";

const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;

export async function measureArtifact(target: Target, plan: Plan): Promise<Measurement[]> {
  const file = join(plan.folder, "artifact.bin");
  makeFile(file);
  const experiment = await createExperiment(target, "artifact");
  const { info } = await createRun(target, experiment, "artifact");
  const path = info.artifact_uri.replace(/^mlflow-artifacts:\/*/, "");
  const urlOf = (i: number): string =>
    `${target.url}/api/2.0/mlflow-artifacts/artifacts/${path}/model-${i}.bin`;
  // Opens connections, loads code.
  const small = join(plan.folder, "small.bin");
  writeFileSync(small, randomBytes(MIB));
  for (let i = 0; i < 8; i++) await curl(["-T", small, `${urlOf(0)}.small`]);
  for (let i = 0; i < 8; i++) await curl([`${urlOf(0)}.small`]);

  // Looking at memory takes a good part of a core: before the clock runs, and with all that a first transfer takes.
  const growth = watchGrowth(target.pids);
  await curl(["-T", file, urlOf(0)]);
  await curl([urlOf(0)]);
  const grown = growth.stop();
  const up: number[] = [];
  const down: number[] = [];
  const copied: number[] = [];
  for (let i = 0; i < plan.repeat; i++) {
    // What an earlier upload left in memory must not be written during this one.
    run("sync", []);
    await settle(target.pids, 10);
    // What writing takes depends on the minute: on whose memory the pages are, and on the disk's neighbours.
    copied.push(await copy(file, join(plan.folder, "copy.bin")));
    run("sync", []);
    up.push(await curl(["-T", file, urlOf(i)]));
    // The first transfer of a file is slower for every server; nginx below has one that does not count, too.
    await curl([urlOf(i)]);
    down.push(await curl([urlOf(i)]));
  }
  const isSame = await compare(urlOf(0), file);
  for (let i = 0; i < plan.repeat; i++) await send(urlOf(i), "DELETE");
  const check = { ok: isSame, text: isSame ? "the bytes are the same" : "other bytes came back" };
  const common = { target: target.name, errors: 0 };
  const found: Measurement[] = [
    { ...common, metric: "artifact-up", unit: "s", value: median(up, (s) => s) },
    { ...common, metric: "artifact-copy", unit: "s", value: median(copied, (s) => s) },
    { ...common, metric: "artifact-down", unit: "s", value: median(down, (s) => s), check },
    { ...common, metric: "artifact-memory", unit: "MiB", value: grown },
  ];
  if (target.name === "plinth") {
    const seconds = await measureNginx(plan);
    if (seconds !== undefined)
      found.push({ metric: "artifact-down", target: "nginx", unit: "s", value: seconds });
  }
  rmSync(file);
  return found;
}

function makeFile(path: string): void {
  const file = openSync(path, "w");
  // Different in every MiB, and nothing that a compressing file system could shrink.
  for (let written = 0; written < SIZE; written += MIB) writeSync(file, randomBytes(MIB));
  closeSync(file);
}

/** Seconds that curl needs for the transfer; what it downloads goes nowhere. */
async function curl(args: readonly string[]): Promise<number> {
  const output = ["-o", "/dev/null", "-w", "%{http_code} %{time_total}"];
  const text = await outputOf("curl", ["-sS", "-H", "Expect:", ...output, ...args]);
  const [status, seconds] = text.trim().split(" ");
  if (!status?.startsWith("2")) throw new Error(`curl ${args.join(" ")} got status ${status}`);
  return Number(seconds);
}

/** Seconds that `dd` needs to write the file again and sync it. */
async function copy(from: string, to: string): Promise<number> {
  const since = performance.now();
  await outputOf("dd", [`if=${from}`, `of=${to}`, "bs=1M", "conv=fsync", "status=none"]);
  const seconds = (performance.now() - since) / 1000;
  rmSync(to);
  return seconds;
}

async function compare(url: string, file: string): Promise<boolean> {
  const script = 'curl -sS "$1" | cmp - "$2" && echo same || true';
  return (await outputOf("sh", ["-c", script, "sh", url, file])).includes("same");
}

async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", done);
  });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${String(code)}`);
  return output;
}

/** The same file from nginx with sendfile: about the best that this machine can do. */
async function measureNginx(plan: Plan): Promise<number | undefined> {
  if (!ensureNginx()) return undefined;
  const port = await freePort();
  const config = join(plan.folder, "nginx.conf");
  writeFileSync(
    config,
    `${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
worker_processes 2;
pid ${plan.folder}/nginx.pid;
error_log stderr;
events {}
http {
  sendfile on;
  tcp_nopush on;
  access_log off;
  client_body_temp_path ${plan.folder}/nginx-body;
  proxy_temp_path ${plan.folder}/nginx-proxy;
  fastcgi_temp_path ${plan.folder}/nginx-fastcgi;
  uwsgi_temp_path ${plan.folder}/nginx-uwsgi;
  scgi_temp_path ${plan.folder}/nginx-scgi;
  server { listen 127.0.0.1:${port}; root ${plan.folder}; }
}
`,
  );
  const nginx = startProgram("nginx", ["-c", config, "-e", "stderr"]);
  try {
    await waitForAnswer(nginx, `http://127.0.0.1:${port}/small.bin`, performance.now());
    const times: number[] = [];
    for (let i = 0; i < plan.repeat + 1; i++)
      times.push(await curl([`http://127.0.0.1:${port}/artifact.bin`]));
    return median(times.slice(1), (seconds) => seconds);
  } finally {
    await nginx.stop();
  }
}
