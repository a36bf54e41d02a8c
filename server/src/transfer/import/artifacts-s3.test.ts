import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startS3Server, type S3Server } from "../../kernel/blobs/moto-server.ts";
import { bytesOf, openStorage, type StorageFixture } from "../../modules/storage/storage-fixture.ts";
import { copyArtifacts } from "./artifacts.ts";
import { s3Artifacts } from "./artifacts-s3.ts";
import type { SourceProblem } from "./problem.ts";

const server = await startS3Server();

if ("missing" in server) process.stderr.write(`artifacts in S3 buckets are not tested: ${server.missing}\n`);

describe.skipIf("missing" in server)("artifacts in an S3 bucket", () => {
  const { client, options } = server as S3Server;
  let ground: StorageFixture;

  beforeAll(async () => {
    ground = await openStorage();
    await ground.storage.ensureBucket("artifacts");
  });
  afterAll(async () => {
    await ground[Symbol.asyncDispose]();
    await (server as S3Server)[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", options.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", options.secretAccessKey);
    vi.stubEnv("AWS_REGION", undefined);
  });
  afterEach(() => vi.unstubAllEnvs());

  const put = async (key: string, body: string): Promise<void> =>
    void (await client.send(new PutObjectCommand({ Bucket: options.bucket, Key: key, Body: body })));

  it("are copied, more than one page of them, and not again", async () => {
    const artifacts = await s3Artifacts({ endpoint: options.endpoint });
    for (let from = 0; from < 1100; from += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_none, index) =>
          put(`1/run/artifacts/many/${from + index}`, `${from + index}`),
        ),
      );
    }
    await put("1/run/artifacts/ü b.txt", "words");
    await put("1/run/artifacts/folder/", "");
    await put("1/run/artifactsbeside", "not this");
    const problems: SourceProblem[] = [];
    const deps = {
      storage: ground.storage,
      bucket: "artifacts",
      storedPath: (path: string) => path,
      artifacts,
      onProblem: (problem: SourceProblem) => problems.push(problem),
    };
    const item = { from: `s3://${options.bucket}/1/run/artifacts`, to: "1/run/artifacts", owner: "run" };
    expect(await copyArtifacts(deps, [item])).toMatchObject({ files: 1101, present: 0 });
    expect(await copyArtifacts(deps, [item])).toMatchObject({ files: 0, present: 1101 });
    const found = await ground.storage.getObject({ bucket: "artifacts", key: "1/run/artifacts/ü b.txt" });
    expect((await bytesOf(found)).toString()).toBe("words");
    const behind = await Array.fromAsync(artifacts.list(item.from, "many/999"));
    expect(behind.map(({ path }) => path)).toEqual(["ü b.txt"]);
    expect(problems).toEqual([]);
    artifacts.close();
  });

  it("tells a bucket or file that is not there, and leaves other places alone", async () => {
    const artifacts = await s3Artifacts({ endpoint: options.endpoint });
    expect(artifacts.unreadable("s3a://bucket/x")).toBeUndefined();
    expect(artifacts.unreadable("gs://bucket/x")).toMatch(/not in an S3 bucket/);
    await expect(Array.fromAsync(artifacts.list("s3://no-such-bucket/x", undefined))).rejects.toThrow(
      /NoSuchBucket/,
    );
    await expect(artifacts.open(`s3://${options.bucket}/x`, "y")).rejects.toThrow(/NoSuchKey/);
    artifacts.close();
  });
});
