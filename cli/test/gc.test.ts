import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newFolder, plinth, spawnPlinth, whenReady } from "./plinth.ts";

const anyPorts = ["--port", "0", "--s3-port", "0", "--grpc-port", "0"];

async function call(address: string, path: string, body: unknown): Promise<Record<string, string>> {
  const response = await fetch(`${address}/api/2.0/mlflow/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect({ path, status: response.status }).toEqual({ path, status: 200 });
  return (await response.json()) as Record<string, string>;
}

test("gc frees the names of deleted experiments, with a running Plinth and without one", async () => {
  await using folder = await newFolder();
  const dataDir = ["--data-dir", folder.path];
  const first = spawnPlinth(["up", ...anyPorts, ...dataDir]);
  const { http } = await whenReady(first, folder.path);
  const create = { name: "to be forgotten" };
  for (const when of ["running", "stopped"]) {
    const { experiment_id } = await call(http ?? "", "experiments/create", create);
    await call(http ?? "", "runs/create", { experiment_id });
    await call(http ?? "", "experiments/delete", { experiment_id });
    const kept = await plinth(["gc", "--json", "--older-than", "1d12h", ...dataDir]);
    expect(JSON.parse(kept.stdout)).toEqual({ experiments: 0, runs: 0, logged_models: 0 });
    if (when === "stopped") {
      first.kill("SIGTERM");
      await first.ended;
    }
    const { code, stdout } = await plinth(["gc", "--json", ...dataDir]);
    expect(JSON.parse(stdout)).toEqual({ experiments: 1, runs: 1, logged_models: 0 });
    expect(code).toBe(0);
  }
  expect(existsSync(join(folder.path, "plinth.json"))).toBe(false);
});

test("gc refuses what is no duration", async () => {
  const { code, stderr } = await plinth(["gc", "--older-than", "soon"]);
  expect(stderr).toContain("'soon' is not a duration such as 30d");
  expect(code).toBe(2);
});
