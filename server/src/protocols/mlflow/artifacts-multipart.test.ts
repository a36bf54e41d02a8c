import { randomBytes } from "node:crypto";
import { createS3BlobStore } from "../../kernel/blobs/s3.ts";
import { startS3Server } from "../../kernel/blobs/moto-server.ts";
import { artifactCapabilities } from "./artifacts-multipart.ts";
import { afterAll, describe, expect, test } from "vitest";
import { PROXY, ROOT, json, startArtifactServer, type Answer } from "./artifacts-fixture.ts";

const server = await startArtifactServer();
const { call, get, post } = server;

afterAll(() => server[Symbol.asyncDispose]());

describe("uploads in parts", () => {
  const mpu = "/api/2.0/mlflow-artifacts/mpu";
  type Created = { upload_id: string; credentials: { url: string; part_number: number }[] };

  const create = async (path: string, count: number, directory = ROOT): Promise<Created> =>
    json(await post(`${mpu}/create/${directory}`, { path, num_parts: count })) as Created;

  const send = (url: string, body: Uint8Array): Promise<Answer> =>
    call("PUT", new URL(url).pathname, { body });

  test("the client sends parts to the addresses it is given and completes them", async () => {
    const pieces = [randomBytes(70_000), randomBytes(70_000), randomBytes(3)];
    const created = await create("/home/someone/big model.bin", 3);
    expect(created.credentials.map((credential) => credential.part_number)).toEqual([1, 2, 3]);
    const parts = await Promise.all(
      created.credentials.map(async ({ url, part_number }, index) => {
        expect(url.startsWith(`${server.url}/api/2.0/mlflow-artifacts/mpu/part/`)).toBe(true);
        const answer = await send(url, pieces[index] as Buffer);
        expect(answer.status).toBe(200);
        return { part_number, etag: answer.headers["etag"], url };
      }),
    );
    expect((await get(`${ROOT}/big%20model.bin`)).status).toBe(404);
    const body = { path: "/home/someone/big model.bin", upload_id: created.upload_id, parts };
    const completed = await post(`${mpu}/complete/${ROOT}`, body);
    expect([completed.status, json(completed)]).toEqual([200, {}]);
    const found = await get(`${ROOT}/big%20model.bin`);
    expect(found.bytes.equals(Buffer.concat(pieces))).toBe(true);
    expect(found.headers["etag"]).toMatch(/^"[0-9a-f]{32}-3"$/);
    const across = await get(`${ROOT}/big%20model.bin`, { range: "bytes=69999-140001" });
    expect(across.bytes.equals(Buffer.concat(pieces).subarray(69_999, 140_002))).toBe(true);
    expect((await post(`${mpu}/complete/${ROOT}`, body)).status).toBe(404);
  });

  test("a local path of Windows counts by its last part only", async () => {
    const { upload_id: id, credentials } = await create("C:\\models\\m.bin", 1);
    const etag = (await send(credentials[0]?.url ?? "", Buffer.from("x"))).headers["etag"];
    const parts = [{ part_number: 1, etag }];
    expect(
      (await post(`${mpu}/complete/${ROOT}`, { path: "C:\\models\\m.bin", upload_id: id, parts })).status,
    ).toBe(200);
    expect((await get(`${ROOT}/m.bin`)).text).toBe("x");
  });

  test("an aborted upload takes nothing more", async () => {
    const { upload_id: id, credentials } = await create("aborted", 2);
    await send(credentials[0]?.url ?? "", Buffer.from("x"));
    const answer = await post(`${mpu}/abort/${ROOT}`, { path: "aborted", upload_id: id });
    expect([answer.status, json(answer)]).toEqual([200, {}]);
    expect((await send(credentials[1]?.url ?? "", Buffer.from("x"))).status).toBe(404);
    expect((await get(`${ROOT}/aborted`)).status).toBe(404);
  });

  test("another run's upload can neither be completed nor aborted, nor parts forged", async () => {
    // CVE-2026-2651
    const { upload_id: id, credentials } = await create("mine", 1);
    const url = credentials[0]?.url ?? "";
    const etag = (await send(url, Buffer.from("x"))).headers["etag"];
    const body = { path: "mine", upload_id: id, parts: [{ part_number: 1, etag }] };
    expect((await post(`${mpu}/complete/1/other/artifacts`, body)).status).toBe(404);
    expect((await post(`${mpu}/abort/1/other/artifacts`, body)).status).toBe(404);
    expect((await send(`${url}x`, Buffer.from("y"))).status).toBe(403);
    const read = await server.storage.signer.sign(["read", `${ROOT}/mine`], 60);
    expect(
      (
        await send(
          `${server.url}${PROXY.replace("artifacts/artifacts", "artifacts/mpu/part")}/${read}`,
          Buffer.from("y"),
        )
      ).status,
    ).toBe(403);
  });

  test("wrong requests are answered clearly", async () => {
    const none = await post(`${mpu}/create/${ROOT}`, {});
    expect(json(none)).toMatchObject({
      error_code: "INVALID_PARAMETER_VALUE",
      message: expect.stringContaining("'path'") as string,
    });
    expect((await post(`${mpu}/create/${ROOT}`, { path: "x", num_parts: 10_001 })).status).toBe(400);
    expect((await post(`${mpu}/create/${ROOT}`, { path: "x", num_parts: -1 })).status).toBe(400);
    const parts = await post(`${mpu}/complete/${ROOT}`, { path: "x" });
    expect(json(parts)).toMatchObject({ message: expect.stringContaining("'parts'") as string });
    const unknown = { path: "x", upload_id: "0".repeat(32), parts: [{ part_number: 1, etag: "x" }] };
    expect((await post(`${mpu}/complete/${ROOT}`, unknown)).status).toBe(404);
  });

  test("a download by signed address falls back where the store has no addresses of its own", async () => {
    const answer = await call("GET", `/api/2.0/mlflow-artifacts/presigned/${ROOT}/own`);
    expect(answer.status).toBe(501);
    expect(json(answer)).toEqual({
      error_code: "NOT_IMPLEMENTED",
      message: "Multipart download is not supported for the current artifact repository",
    });
  });

  test("the tracking endpoints for signed addresses say why there are none", async () => {
    const up = await post("/api/2.0/mlflow/artifacts/presigned-upload-url", { run_id: "run", path: "x" });
    expect([up.status, json(up)]).toMatchObject([
      400,
      {
        message:
          "Presigned upload is not supported for proxied artifact storage (artifact URI scheme: mlflow-artifacts). " +
          "This endpoint requires a direct cloud storage artifact URI.",
      },
    ]);
    const both = await post("/api/2.0/mlflow/artifacts/presigned-upload-url", {
      run_id: "run",
      model_id: "m",
      path: "x",
    });
    expect(json(both)).toMatchObject({ message: "Exactly one of run_id and model_id must be provided." });
    const late = { run_id: "run", path: "x", expiration: 604_801 };
    const down = await post("/api/2.0/mlflow/artifacts/presigned-download-url", late);
    expect(json(down)).toMatchObject({
      message: "expiration must be between 1 and 604800 seconds (got 604801).",
    });
    const elsewhere = await post("/api/2.0/mlflow/artifacts/presigned-download-url", {
      run_id: "bucket",
      path: "x",
    });
    expect(elsewhere.status).toBe(501);
  });
});

describe("with a bucket as blob store", () => {
  type Created = { upload_id: string; credentials: { url: string; part_number: number }[] };
  const mpu = "/api/2.0/mlflow-artifacts/mpu";

  test("parts go to the bucket and downloads come from it, small artifacts from here", async (context) => {
    const s3 = await startS3Server();
    if ("missing" in s3) return context.skip(s3.missing);
    await using bucket = s3;
    await using direct = await startArtifactServer(createS3BlobStore(bucket.options));
    expect(artifactCapabilities(direct.storage)).toEqual({
      multipart_uploads_enabled: true,
      multipart_downloads_enabled: true,
    });
    const pieces = [randomBytes(5 * 1024 * 1024), randomBytes(100)];
    const created = json(
      await direct.post(`${mpu}/create/${ROOT}`, { path: "big", num_parts: 2 }),
    ) as Created;
    const parts = await Promise.all(
      created.credentials.map(async ({ url, part_number }, index) => {
        expect(url.startsWith(`${bucket.options.endpoint}/`)).toBe(true);
        const answer = await fetch(url, { method: "PUT", body: pieces[index] as Buffer<ArrayBuffer> });
        return { part_number, etag: answer.headers.get("etag") };
      }),
    );
    const body = { path: "big", upload_id: created.upload_id, parts };
    expect((await direct.post(`${mpu}/complete/${ROOT}`, body)).status).toBe(200);
    const whole = Buffer.concat(pieces);
    expect((await direct.get(`${ROOT}/big`)).bytes.equals(whole)).toBe(true);
    await direct.put(`${ROOT}/small`, "in its row");
    for (const [name, bytes] of [
      ["big", whole],
      ["small", Buffer.from("in its row")],
    ] as const) {
      const answer = await direct.call("GET", `/ajax-api/2.0/mlflow-artifacts/presigned/${ROOT}/${name}`);
      const {
        url,
        headers,
        file_size: size,
      } = json(answer) as { url: string; headers: object; file_size: number };
      expect([headers, size]).toEqual([{}, bytes.length]);
      expect(url.startsWith(name === "big" ? `${bucket.options.endpoint}/` : direct.url)).toBe(true);
      const part = await fetch(url, { headers: { range: "bytes=3-5" } });
      expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, bytes.subarray(3, 6)]);
    }
    const missing = await direct.call("GET", `/api/2.0/mlflow-artifacts/presigned/${ROOT}/none`);
    expect(missing.status).toBe(404);
    const aborted = json(
      await direct.post(`${mpu}/create/${ROOT}`, { path: "gone", num_parts: 1 }),
    ) as Created;
    const abort = { path: "gone", upload_id: aborted.upload_id };
    expect((await direct.post(`${mpu}/abort/${ROOT}`, abort)).status).toBe(200);
    expect((await fetch(aborted.credentials[0]?.url ?? "", { method: "PUT", body: "x" })).ok).toBe(false);
  }, 300_000);
});
