import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newFolder, plinth, spawnPlinth, whenReady } from "./plinth.ts";

test(
  "secrets rotate seals everything with the new key, so that the old one can go",
  { timeout: 120_000 },
  async () => {
    await using folder = await newFolder();
    const [first, second, third] = [0, 1, 2].map(() => randomBytes(32).toString("hex"));
    const dataDir = ["--data-dir", folder.path];
    const anyPorts = ["--port", "0", "--s3-port", "0", "--grpc-port", "0"];
    const server = spawnPlinth(["up", ...anyPorts, ...dataDir, "--secrets-key", `${first}`]);
    const { http } = await whenReady(server, folder.path);
    const made = await fetch(`${http}/api/2.0/mlflow/webhooks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        name: "told",
        url: "https://8.8.8.8/hook",
        events: [{ entity: "REGISTERED_MODEL", action: "CREATED" }],
        secret: "word",
      }),
    });
    expect(made.status).toBe(200);
    server.kill("SIGTERM");
    await server.ended;

    const rotate = (...keys: string[]): ReturnType<typeof plinth> =>
      plinth(["secrets", "rotate", "--json", ...dataDir, ...keys]);
    const unknown = await rotate("--secrets-key", `${second}`);
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringContaining("which this server was not given"),
    ]);
    const done = await rotate("--secrets-key", `${second},${first}`);
    expect([done.code, JSON.parse(done.stdout)]).toEqual([0, { resealed: expect.any(Number) }]);
    expect(JSON.parse(done.stdout).resealed).toBeGreaterThan(0);
    const again = await rotate("--secrets-key", `${second},${first}`);
    expect(JSON.parse(again.stdout)).toEqual({ resealed: 0 });
    const file = join(folder.path, "keys");
    await writeFile(file, `${third}\n${second}\n`);
    const byCommand = await rotate("--secrets-key-command", JSON.stringify(["cat", file]));
    expect(JSON.parse(byCommand.stdout)).toEqual(JSON.parse(done.stdout));
  },
);
