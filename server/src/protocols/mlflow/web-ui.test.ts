import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { send } from "../../../test/raw-http.ts";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { openWebUi } from "./web-ui-files.ts";

const page = `<!doctype html><title>MLflow</title><script src="static-files/static/js/main.c2f5f8d4.js"></script>`;
const script = `console.log("${"mlflow ".repeat(1000)}");\n`;

/** What an installed package's web UI looks like, in small. */
async function writeBuild(build: string): Promise<void> {
  const files = {
    "index.html": page,
    "asset-manifest.json": "{}",
    "favicon.ico": Buffer.from([0, 0, 1, 0]),
    "static/js/main.c2f5f8d4.js": script,
    "static/media/logo.0d4b306f2669f3ad25375568935e3ce3.svg": "<svg/>",
    "lib/notebook-trace-renderer/index.html": "<!doctype html><title>trace</title>",
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(build, name)), { recursive: true });
    await writeFile(join(build, name), content);
  }
}

let folder: string;
let server: TestServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plinth-web-ui-"));
  await writeBuild(join(folder, "venv/lib/python3.12/site-packages/mlflow/server/js/build"));
  await writeFile(join(folder, "secret.txt"), "not to be served");
  server = await startTestServer({ "mlflow-ui": join(folder, "venv") });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe("the page", () => {
  test("is at the root, asked for anew each time, and cannot be framed elsewhere", async () => {
    const answer = await server.get("/");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(page);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "x-frame-options": "SAMEORIGIN",
      "x-content-type-options": "nosniff",
    });
    expect(answer.headers.get("content-security-policy")).toContain("frame-ancestors 'self'");
    const etag = answer.headers.get("etag") ?? "";
    const again = await server.call("GET", "/", undefined, { "if-none-match": `W/${etag}` });
    expect([again.status, again.text]).toEqual([304, ""]);
  });

  test("leaves Plinth's own page where it can be reached", async () => {
    expect((await server.get("/plinth")).text).toContain("<h1>Plinth</h1>");
  });

  test("answers HEAD, and is refused under a foreign name", async () => {
    expect(await send(server.url, { method: "HEAD", path: "/" })).toMatchObject({ status: 200, text: "" });
    const foreign = await send(server.url, { method: "GET", path: "/", headers: { host: "evil.example" } });
    expect(foreign.status).toBe(403);
  });
});

describe("its files", () => {
  test("with a hash in their name are kept by browsers for ever, others are asked for anew", async () => {
    const hashed = await server.get("/static-files/static/js/main.c2f5f8d4.js");
    expect(hashed.text).toBe(script);
    expect(hashed.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(hashed.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    const icon = await server.get("/static-files/favicon.ico");
    expect(icon.headers.get("cache-control")).toBe("no-cache");
    expect(icon.headers.get("content-length")).toBe("4");
    const again = await server.call("GET", "/static-files/favicon.ico", undefined, {
      "if-none-match": icon.headers.get("etag") ?? "",
    });
    expect(again.status).toBe(304);
  });

  test("go compressed to those who take that, and as they are to others", async () => {
    const path = "/static-files/static/js/main.c2f5f8d4.js";
    for (const [accepted, encoding] of [
      ["gzip, deflate, br", "gzip"],
      ["br;q=1, gzip;q=0", undefined],
      ["identity", undefined],
    ] as const) {
      const headers = { "accept-encoding": accepted };
      const answer = await send(server.url, { method: "GET", path, headers });
      expect([accepted, answer.headers["content-encoding"]]).toEqual([accepted, encoding]);
      expect(answer.headers["vary"]).toBe("accept-encoding");
    }
    const fetched = await server.call("GET", path, undefined, { "accept-encoding": "gzip" });
    expect(fetched.text).toBe(script);
  });

  test("are those of the build and no other", async () => {
    for (const name of [
      "../../../../../../../../secret.txt",
      "..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2fsecret.txt",
      "%2e%2e/%2e%2e/index.html",
      "static/js/../../index.html",
      "static/js",
      "static//js/main.c2f5f8d4.js",
      "/etc/passwd",
      "__proto__",
      "",
      "static/js/main.c2f5f8d4.js%00",
      "static\\js\\main.c2f5f8d4.js",
    ]) {
      const answer = await send(server.url, { method: "GET", path: `/static-files/${name}` });
      expect([name, answer.status]).toEqual([name, 404]);
    }
  });

  test("that notebooks frame may be framed", async () => {
    const { headers } = await server.get("/static-files/lib/notebook-trace-renderer/index.html");
    expect(headers.get("x-frame-options")).toBe(null);
    expect(headers.get("content-security-policy")).not.toContain("frame-ancestors");
  });

  test("that are gone since the start are not found", async () => {
    const build = join(folder, "shrinking");
    await writeBuild(build);
    await using other = await startTestServer({ "mlflow-ui": build });
    await rm(join(build, "static"), { recursive: true });
    for (const encoding of ["gzip", "identity"]) {
      const headers = { "accept-encoding": encoding };
      const answer = await other.call("GET", "/static-files/static/js/main.c2f5f8d4.js", undefined, headers);
      expect([encoding, answer.status]).toEqual([encoding, 404]);
      expect(answer.headers.get("cache-control")).toBe(null);
    }
  });
});

describe("the folder given", () => {
  test("may be the environment, its site-packages, the package or the build, also with linked files", async () => {
    const site = join(folder, "venv/lib/python3.12/site-packages");
    for (const given of [
      site,
      join(site, "mlflow"),
      join(site, "mlflow/server/js"),
      join(site, "mlflow/server/js/build"),
    ]) {
      expect([given, (await openWebUi(given)).files.size]).toEqual([given, 6]);
    }
    const linked = join(folder, "linked");
    await mkdir(linked);
    for (const name of ["index.html", "asset-manifest.json", "favicon.ico"]) {
      await symlink(join(site, "mlflow/server/js/build", name), join(linked, name));
    }
    expect([...(await openWebUi(linked)).files.keys()].toSorted()).toEqual([
      "asset-manifest.json",
      "favicon.ico",
      "index.html",
    ]);
  });

  test("that is not MLflow's is refused in words", async () => {
    await expect(openWebUi(join(folder, "nowhere"))).rejects.toThrow(
      /--mlflow-ui: there is no folder '.*nowhere'/,
    );
    await expect(openWebUi(folder)).rejects.toThrow(
      "holds neither a built web UI nor an installed 'mlflow' package",
    );
    const other = join(folder, "other");
    await writeBuild(other);
    await writeFile(join(other, "index.html"), "<!doctype html><title>Another</title>");
    await expect(openWebUi(other)).rejects.toThrow("is not the page of MLflow's web UI");
  });
});
