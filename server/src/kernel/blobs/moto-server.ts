import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { S3BlobStoreOptions } from "./s3.ts";

/** For tests: a real S3 server of somebody else's making, moto from PyPI, in a folder that git ignores. */
export type S3Server = AsyncDisposable & { options: S3BlobStoreOptions; client: S3Client };

const environment = join(import.meta.dirname, "../../../../.venv/moto");

/** Undefined with a reason when it cannot be installed, which only machines other than CI may be content with. */
export async function startS3Server(): Promise<S3Server | { missing: string }> {
  const python = process.env["PLINTH_PYTHON"] ?? "python3";
  const executable = join(environment, "bin/moto_server");
  if (!existsSync(executable)) {
    const made = spawnSync(python, ["-m", "venv", environment], { encoding: "utf8" });
    const installed = spawnSync(join(environment, "bin/pip"), ["install", "-q", "moto[server]==5.1.22"], {
      encoding: "utf8",
    });
    if (installed.status !== 0) {
      const missing = `moto[server] could not be installed: ${made.stderr ?? ""} ${installed.stderr ?? "no pip"}`;
      if (process.env["CI"] === "true") throw new Error(missing);
      return { missing };
    }
  }
  const port = await freePort();
  const child = spawn(executable, ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await answers(endpoint)); tries += 1) {
    if (tries > 300 || child.exitCode !== null) throw new Error("The S3 server did not start.");
    await sleep(100);
  }
  const credentials = { accessKeyId: "test-key", secretAccessKey: "test-secret" };
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: "plinth-test" }));
  return {
    client,
    options: {
      bucket: "plinth-test",
      prefix: "blobs/",
      endpoint,
      pathStyle: true,
      region: "us-east-1",
      ...credentials,
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill();
      await ended;
    },
  };
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    await fetch(endpoint);
    return true;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
