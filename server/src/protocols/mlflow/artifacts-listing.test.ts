import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROXY, ROOT, json, locations, startArtifactServer } from "./artifacts-fixture.ts";

const server = await startArtifactServer();
const { call, get, put } = server;

afterAll(() => server[Symbol.asyncDispose]());

describe("listing and deleting", () => {
  beforeAll(async () => {
    for (const path of ["a.txt", "d/x.html", "d/e/f", "d.txt", "empty"]) {
      await put(`2/run/artifacts/${path}`, path === "empty" ? "" : path);
    }
    locations["second"] = "mlflow-artifacts:/2/run/artifacts";
  });

  test("the proxy lists names, in order, sizes of files only", async () => {
    expect(json(await call("GET", `${PROXY}?path=2/run/artifacts`))).toEqual({
      files: [
        { path: "a.txt", is_dir: false, file_size: 5 },
        { path: "d", is_dir: true },
        { path: "d.txt", is_dir: false, file_size: 5 },
        { path: "empty", is_dir: false },
      ],
    });
    expect(json(await call("GET", `${PROXY}?path=2/run/artifacts/d/`))).toEqual({
      files: [
        { path: "e", is_dir: true },
        { path: "x.html", is_dir: false, file_size: 8 },
      ],
    });
    for (const path of ["none", "2/run/artifacts/a.txt", "2/run/artifacts/d/e/f"]) {
      expect(json(await call("GET", `${PROXY}?path=${path}`))).toEqual({});
    }
    expect(json(await call("GET", PROXY))).toMatchObject({
      files: expect.arrayContaining([{ path: "2", is_dir: true }]) as unknown,
    });
  });

  test("a run lists paths below its root", async () => {
    expect(json(await call("GET", "/ajax-api/2.0/mlflow/artifacts/list?run_uuid=second&path=d"))).toEqual({
      root_uri: "mlflow-artifacts:/2/run/artifacts",
      files: [
        { path: "d/e", is_dir: true },
        { path: "d/x.html", is_dir: false, file_size: 8 },
      ],
    });
    expect(json(await call("GET", "/api/2.0/mlflow/artifacts/list?run_id=second&path=none"))).toEqual({
      root_uri: "mlflow-artifacts:/2/run/artifacts",
    });
    const missing = await call("GET", "/api/2.0/mlflow/artifacts/list");
    expect(json(missing)).toMatchObject({
      message: expect.stringContaining("Missing value for required parameter 'run_id'") as string,
    });
    const model = await call(
      "GET",
      "/api/2.0/mlflow/logged-models/second/artifacts/directories?artifact_directory_path=d/e",
    );
    expect(json(model)).toEqual({
      root_uri: "mlflow-artifacts:/2/run/artifacts",
      files: [{ path: "d/e/f", is_dir: false, file_size: 5 }],
    });
  });

  test("roots given with a host or as an address of the proxy are this server's own", async () => {
    await put(`${ROOT}/own`, "x");
    for (const run of ["hosted", "linked"]) {
      expect((await call("GET", `/get-artifact?run_id=${run}&path=own`)).text).toBe("x");
    }
  });

  test("artifacts elsewhere are the client's business, and never a path of this machine", async () => {
    // CVE-2023-1177, 2780, 6977; CVE-2024-2928, 3573
    for (const run of ["bucket", "file", "proc"]) {
      for (const url of [
        `/api/2.0/mlflow/artifacts/list?run_id=${run}`,
        `/get-artifact?run_id=${run}&path=passwd`,
        `/ajax-api/2.0/mlflow/logged-models/${run}/artifacts/files?artifact_file_path=passwd`,
      ]) {
        expect((await call("GET", url)).status).toBe(501);
      }
    }
  });

  test("deleting takes a file, a directory, or nothing", async () => {
    await Promise.all(["f", "f/g", "f/h/i", "ff"].map((path) => put(`3/${path}`, "x")));
    const answer = await call("DELETE", `${PROXY}/3/f/h`);
    expect([answer.status, answer.text]).toEqual([200, "{}"]);
    expect((await get("3/f/h/i")).status).toBe(404);
    expect((await get("3/f/g")).status).toBe(200);
    await call("DELETE", `${PROXY}/3/f/`);
    expect((await get("3/f/g")).status).toBe(404);
    expect((await get("3/ff")).status).toBe(200);
    expect((await call("DELETE", `${PROXY}/3/none`)).status).toBe(200);
  });
});

describe("what the web interface asks", () => {
  test("get-artifact", async () => {
    await put(`${ROOT}/ui/plot.json`, "{}");
    const found = await call("GET", "/get-artifact?path=ui%2Fplot.json&run_uuid=run");
    expect([found.status, found.text, found.headers["content-type"]]).toEqual([200, "{}", "text/plain"]);
    expect((await call("GET", "/get-artifact?run_id=run")).status).toBe(400);
    expect((await call("GET", "/get-artifact?run_id=unknown&path=x")).status).toBe(404);
    const directory = await call("GET", "/get-artifact?run_id=run&path=ui");
    expect([directory.status, json(directory)]).toMatchObject([
      400,
      { error_code: "INVALID_PARAMETER_VALUE" },
    ]);
    expect((await call("GET", "/get-artifact?run_id=run&path=none")).status).toBe(404);
  });

  test("a logged model's files", async () => {
    const url = "/ajax-api/2.0/mlflow/logged-models/run/artifacts/files";
    expect((await call("GET", `${url}?artifact_file_path=ui/plot.json`)).text).toBe("{}");
    const missing = await call("GET", url);
    expect(json(missing)).toMatchObject({ error_code: "BAD_REQUEST" });
    expect((await call("GET", url.replace("ajax-api", "api"))).status).toBe(404);
  });

  test("upload-artifact takes up to 10 MB", async () => {
    const url = "/ajax-api/2.0/mlflow/upload-artifact";
    const sent = await call("POST", `${url}?run_uuid=run&path=ui/sent.txt`, { body: "x".repeat(1_000_000) });
    expect([sent.status, sent.text]).toEqual([200, ""]);
    expect((await get(`${ROOT}/ui/sent.txt`)).bytes.length).toBe(1_000_000);
    const message = async (path: string, body: string | Uint8Array, headers = {}): Promise<unknown> =>
      json(await call("POST", `${url}${path}`, { body, headers }));
    expect(await message("?path=x", "x")).toMatchObject({ message: "Request must specify run_uuid." });
    expect(await message("?run_uuid=run", "x")).toMatchObject({ message: "Request must specify path." });
    expect(await message("?run_uuid=run&path=x", "")).toMatchObject({
      message: "Request must specify data.",
    });
    const large = Buffer.alloc(10 * 1024 * 1024 + 1);
    const tooLarge = { message: "Artifact size is too large. Max size is 10MB." };
    expect(await message("?run_uuid=run&path=big", large)).toMatchObject(tooLarge);
    const chunked = { "transfer-encoding": "chunked" };
    expect(await message("?run_uuid=run&path=big", large, chunked)).toMatchObject(tooLarge);
    expect((await get(`${ROOT}/big`)).status).toBe(404);
  });
});
