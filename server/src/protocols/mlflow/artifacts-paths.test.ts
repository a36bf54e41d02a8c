import { afterAll, describe, expect, test } from "vitest";
import { PROXY, ROOT, invalidPath, json, startArtifactServer } from "./artifacts-fixture.ts";

const server = await startArtifactServer();
const { call, get, post, put } = server;

afterAll(() => server[Symbol.asyncDispose]());

describe("paths that try to leave", () => {
  // CVE-2023-6015, 6018, 6753, 6831, 6909, 6975, 6977; CVE-2024-1483, 1558, 1560, 1593, 1594; CVE-2026-2033
  const traversals = [
    "../x",
    "a/../../x",
    "..",
    "%2e%2e/x",
    "%2E%2E%2Fx",
    "%252e%252e/x",
    "%252E%252E%252Fx",
    "%25252e%25252e%25252fx",
    "..%2fx",
    "..%5c..%5cx",
    "%5c..%5cfilename",
    "a%5cb",
    "..%255cx",
    "/etc/passwd",
    "%2fetc/passwd",
    "%252fetc%252fpasswd",
    "//proc/self/root/etc/passwd",
    "C:/Windows/win.ini",
    "C%3A%5CWindows",
    "C:x",
    "file:///etc/passwd",
    "FILE:etc",
    "a%23/../../x",
    "a%23b",
    "%2523",
    "a%00b",
    "a%2500b",
    "a%FFb",
    "%ED%A0%80",
    `%${"25".repeat(13)}2e%${"25".repeat(13)}2e/x`,
  ];

  test.each(traversals)("%s", async (path) => {
    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
      const answer = await call(method, `${PROXY}/${path}`, method === "PUT" ? { body: "x" } : {});
      expect(answer.status).toBe(400);
      expect(answer.text).not.toContain("No such");
    }
    const body = { path: "x", num_parts: 1, upload_id: "x", parts: [{ part_number: 1, etag: "x" }] };
    for (const action of ["create", "complete", "abort"]) {
      expect((await post(`/api/2.0/mlflow-artifacts/mpu/${action}/${path}`, body)).status).toBe(400);
    }
    expect((await call("GET", `/api/2.0/mlflow-artifacts/presigned/${path}`)).status).toBe(400);
  });

  test("are answered in MLflow's words", async () => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      expect(json(await call(method, `${PROXY}/%252e%252e/x`))).toMatchObject(invalidPath);
    }
  });

  test.each(traversals.filter((path) => !/%FF|%ED/.test(path)))("%s in a query", async (path) => {
    const given = path.replaceAll("%", "%25");
    for (const url of [
      `${PROXY}?path=${given}`,
      `/api/2.0/mlflow/artifacts/list?run_id=run&path=${given}`,
      `/get-artifact?run_uuid=run&path=${given}`,
      `/get-artifact?run_id=run&path=${path}`,
      `/api/2.0/mlflow/logged-models/run/artifacts/directories?artifact_directory_path=${given}`,
      `/ajax-api/2.0/mlflow/logged-models/run/artifacts/files?artifact_file_path=${given}`,
    ]) {
      const answer = await call("GET", url);
      expect([url, answer.status, json(answer)]).toEqual([url, 400, invalidPath]);
    }
    const upload = await call("POST", `/ajax-api/2.0/mlflow/upload-artifact?run_uuid=run&path=${given}`, {
      body: "x",
    });
    expect(json(upload)).toEqual(invalidPath);
    for (const url of ["presigned-upload-url", "presigned-download-url"]) {
      const answer = await post(`/api/2.0/mlflow/artifacts/${url}`, {
        run_id: "run",
        path: decodeURIComponent(given),
      });
      expect(json(answer)).toEqual(invalidPath);
    }
  });

  test("a name that hides a traversal in its local part is refused where parts are created", async () => {
    for (const name of ["..", "a/..", "x\\..", "", "a/", "%2e%2e", "%252e%252e%252fx"]) {
      const answer = await post(`/api/2.0/mlflow-artifacts/mpu/create/${ROOT}`, { path: name, num_parts: 1 });
      expect(answer.status).toBe(400);
    }
  });

  test("all artifacts of all runs cannot be deleted at once", async () => {
    await put("9/keep/artifacts/x", "x");
    for (const path of ["", ".", "./", "%2e", "%252e/."]) {
      expect((await call("DELETE", `${PROXY}/${path}`)).status).toBe(400);
    }
    expect((await get("9/keep/artifacts/x")).status).toBe(200);
  });

  test("what was checked is what is used: an encoded name is stored decoded", async () => {
    await put(`${ROOT}/twice%2520encoded`, "x");
    expect((await get(`${ROOT}/twice%20encoded`)).text).toBe("x");
  });
});
