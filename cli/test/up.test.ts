import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { findRunningPostgres } from "../../server/src/kernel/postgres/embedded.ts";
import { newFolder, plinth, spawnPlinth, whenReady } from "./plinth.ts";

const anyPorts = ["--port", "0", "--s3-port", "0", "--grpc-port", "0"];

describe("up", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "serves until %s, then leaves nothing running and exits 0",
    async (signal) => {
      await using folder = await newFolder();
      const child = spawnPlinth(["up", ...anyPorts, "--data-dir", folder.path]);
      const { http } = await whenReady(child, folder.path);
      expect((await fetch(`${http}/ready`)).status).toBe(200);
      const asked = await plinth(["status", "--json", "--data-dir", folder.path]);
      expect(JSON.parse(asked.stdout)).toMatchObject({ address: http, state: "ready", ready: true });
      expect(findRunningPostgres(folder.path)).toBeDefined();
      child.kill(signal);
      const { code, stdout } = await child.ended;
      expect(code).toBe(0);
      expect(stdout).toContain(`export MLFLOW_TRACKING_URI=${http}`);
      expect(stdout).toContain(`zenml login ${http}`);
      expect(existsSync(join(folder.path, "plinth.json"))).toBe(false);
      expect(findRunningPostgres(folder.path)).toBeUndefined();
    },
  );

  test("stopped before it is ready, leaves nothing running and exits 0", async () => {
    await using folder = await newFolder();
    const child = spawnPlinth(["up", ...anyPorts, "--data-dir", folder.path]);
    await new Promise((said) => child.stderr?.once("data", said));
    child.kill("SIGTERM");
    expect((await child.ended).code).toBe(0);
    expect(existsSync(join(folder.path, "plinth.json"))).toBe(false);
    expect(findRunningPostgres(folder.path)).toBeUndefined();
  });

  test("through npm passes the signal on and keeps the exit code", async () => {
    await using folder = await newFolder();
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const npm = spawn("npm", ["run", "up", "--", ...anyPorts, "--data-dir", folder.path], {
      cwd: root,
      stdio: "ignore",
    });
    const ended = new Promise((done) => npm.once("exit", done));
    await whenReady(npm, folder.path);
    npm.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(findRunningPostgres(folder.path)).toBeUndefined();
  });

  test("on a port in use is one line that names it, and exit code 1", async () => {
    await using folder = await newFolder();
    await using taken = createServer();
    await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
    const { port } = taken.address() as AddressInfo;
    const args = [
      "up",
      "--port",
      String(port),
      "--s3-port",
      "0",
      "--grpc-port",
      "0",
      "--data-dir",
      folder.path,
    ];
    const { code, stderr } = await plinth([...args, "--log-level", "silent", "--json"]);
    expect(JSON.parse(stderr)).toEqual({ error: expect.stringContaining(String(port)), exit_code: 1 });
    expect(code).toBe(1);
  });

  test("a second one on the same folder is refused and names the first", async () => {
    await using folder = await newFolder();
    const first = spawnPlinth(["up", ...anyPorts, "--data-dir", folder.path]);
    const { http } = await whenReady(first, folder.path);
    const second = await plinth(["up", ...anyPorts, "--data-dir", folder.path]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`in use by another Plinth (process ${first.pid}, at ${http})`);
    expect(readFileSync(join(folder.path, "plinth.json"), "utf8")).toContain(`${http}`);
    expect((await fetch(`${http}/ready`)).status).toBe(200);
    first.kill("SIGTERM");
    expect((await first.ended).code).toBe(0);
  });
});

describe("server", () => {
  test("runs several processes behind one port, replaces one that dies, and stops them all", async () => {
    await using ground = await newFolder();
    await using folder = await newFolder();
    const database = spawnPlinth(["up", ...anyPorts, "--data-dir", ground.path]);
    await whenReady(database, ground.path);
    const found = findRunningPostgres(ground.path);
    const env = {
      PLINTH_DATABASE_URL: `postgres://${found?.user}:${found?.password}@/plinth?host=${found?.host}`,
    };
    const args = [
      "server",
      ...anyPorts,
      "--workers",
      "2",
      "--pool-size",
      "2",
      "--data-dir",
      folder.path,
      "--json",
    ];
    const server = spawnPlinth(args, { env });
    const announced = await new Promise<string>((said) => server.stdout?.once("data", said));
    const { addresses, workers } = JSON.parse(announced) as { addresses: { http: string }; workers: number };
    expect(workers).toBe(2);
    const running = JSON.parse(readFileSync(join(folder.path, "plinth.json"), "utf8")) as { pid: number };
    expect(running.pid).toBe(server.pid);
    const status = await fetch(`${addresses.http}/console/api/status`, { headers: { connection: "close" } });
    const { pid } = (await status.json()) as { pid: number };
    expect(pid).not.toBe(server.pid);
    process.kill(pid, "SIGKILL");
    // Told to stop before it saw that one died, it would take that for a worker that did not stop in order.
    const others = new Set<number>();
    await vi.waitFor(async () => {
      // The socket that the killed one had just taken is lost with it; the next is another's.
      const answer = await fetch(`${addresses.http}/console/api/status`, {
        headers: { connection: "close" },
      });
      others.add(((await answer.json()) as { pid: number }).pid);
      expect(others.size).toBe(2);
    }, 20_000);
    expect(others.has(pid)).toBe(false);
    server.kill("SIGTERM");
    expect((await server.ended).code).toBe(0);
    await expect(fetch(`${addresses.http}/ready`)).rejects.toThrow("fetch failed");
    database.kill("SIGTERM");
    expect((await database.ended).code).toBe(0);
  });

  test("ends when its processes cannot start, saying why", async () => {
    await using folder = await newFolder();
    const env = { PLINTH_DATABASE_URL: "postgres://me:pw@127.0.0.1:1/base" };
    const { code, stderr } = await plinth(
      ["server", ...anyPorts, "--workers", "2", "--data-dir", folder.path],
      { env },
    );
    expect(code).toBe(1);
    expect(stderr).toContain("nothing listens there");
  });
});
