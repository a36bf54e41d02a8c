import { afterAll, describe, expect, test } from "vitest";
import { startAws } from "../../../../test/services/aws.ts";
import { connectorOf, toolsFor } from "../../../../test/services/connectors.ts";
import { connectorClient, verifyConnector } from "./verification.ts";

const aws = await startAws({ accessKeyId: "AKIAGOOD", buckets: ["data", "models"], hasTokens: true });
const store = await startAws({ accessKeyId: "AKIAGOOD", buckets: ["data"], hasTokens: false });
afterAll(async () => {
  await aws[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
});

const tools = toolsFor();
const key = (url: string, id = "AKIAGOOD"): Record<string, string> => ({
  aws_access_key_id: id,
  aws_secret_access_key: "long-lived-secret",
  region: "eu-west-1",
  endpoint_url: url,
});
const connector = (method: string, more: object = {}, about: object = {}): ReturnType<typeof connectorOf> =>
  connectorOf({ type: "aws", method, configuration: { ...key(aws.url), ...more }, ...about });

const verify = async (
  given: ReturnType<typeof connectorOf>,
  asked: object = {},
): Promise<{ error: string | null; found: [string, readonly string[] | null, string | null][] }> => {
  const { error, resources } = await verifyConnector(given, tools, { list: true, ...asked });
  return { error, found: resources.map((one) => [one.resource_type, one.resource_ids, one.error]) };
};

describe("connectors to AWS", () => {
  test("list what each kind of resource holds", async () => {
    expect(await verify(connector("secret-key"))).toStrictEqual({
      error: null,
      found: [
        ["aws-generic", ["eu-west-1"], null],
        ["s3-bucket", ["s3://data", "s3://models"], null],
        ["kubernetes-cluster", ["main"], null],
        ["docker-registry", ["123456789012.dkr.ecr.eu-west-1.amazonaws.com"], null],
      ],
    });
  });

  test.each(["sts-token", "session-token", "iam-role", "federation-token"])("by %s", async (method) => {
    const more = {
      ...(method === "sts-token" ? { aws_session_token: "given" } : {}),
      ...(method === "iam-role" ? { role_arn: "arn:aws:iam::123456789012:role/reader" } : {}),
    };
    const found = await verify(connector(method, more, { resourceType: "s3-bucket" }));
    expect(found).toStrictEqual({ error: null, found: [["s3-bucket", ["s3://data", "s3://models"], null]] });
  });

  test("that are refused say why, and show no key", async () => {
    const wrong = connector("secret-key", { aws_access_key_id: "AKIAWRONG" });
    const { error, found } = await verify(wrong);
    expect(error).toBe(
      "connector 'one' authorization failure: failed to verify AWS account access: InvalidClientTokenId: The security " +
        "token included in the request is invalid",
    );
    expect(found.every(([, ids, reason]) => ids === null && reason === error)).toBe(true);
    const role = connector("iam-role", { role_arn: "arn:aws:iam::1:role/other" });
    expect((await verify(role)).error).toContain("AccessDenied: not authorized");
    expect(
      (await verify(connector("implicit", undefined, { configuration: { region: "x" } }))).error,
    ).toContain("Implicit authentication methods");
  });

  test("check one bucket, in any of its spellings", async () => {
    for (const resourceId of ["data", "s3://data/some/key", "arn:aws:s3:::data"]) {
      const one = await verify(connector("secret-key"), { resourceType: "s3-bucket", resourceId });
      expect(one.found).toStrictEqual([["s3-bucket", ["s3://data"], null]]);
    }
    const missing = await verify(connector("secret-key"), {
      resourceType: "s3-bucket",
      resourceId: "nowhere",
    });
    expect(missing.error).toContain("failed to fetch S3 bucket nowhere: the answer is 404");
    await expect(
      verify(connector("secret-key"), { resourceType: "s3-bucket", resourceId: "UP" }),
    ).rejects.toThrow("Invalid resource ID for an S3 bucket: UP");
    await expect(
      verify(connector("secret-key", {}, { resourceType: "s3-bucket", resourceId: "s3://data" }), {
        resourceId: "models",
      }),
    ).rejects.toThrow("a different resource name was requested: 's3://models'");
  });

  test("to a store that speaks S3 alone are proved by its buckets", async () => {
    const only = connectorOf({ type: "aws", method: "secret-key", configuration: key(store.url) });
    expect((await verify(only, { list: false })).error).toBeNull();
    expect((await verify(only, { resourceType: "s3-bucket" })).found).toStrictEqual([
      ["s3-bucket", ["s3://data"], null],
    ]);
    const wrong = connectorOf({
      type: "aws",
      method: "secret-key",
      configuration: key(store.url, "AKIAWRONG"),
    });
    expect((await verify(wrong, { list: false })).error).toContain("InvalidClientTokenId");
  });

  test("make temporary credentials for one resource, with a policy for no more than that", async () => {
    const role = connector("iam-role", { role_arn: "arn:aws:iam::123456789012:role/reader" });
    const client = await connectorClient(role, tools, { resourceType: "s3-bucket", resourceId: "data" });
    expect(client).toMatchObject({
      name: "one (s3-bucket | s3://data client)",
      method: { auth_method: "sts-token" },
      resourceType: "s3-bucket",
      resourceId: "s3://data",
      configuration: {
        aws_access_key_id: "ASIATEMPORARY",
        aws_secret_access_key: "made-secret",
        aws_session_token: "made-token",
        region: "eu-west-1",
        endpoint_url: aws.url,
      },
    });
    expect(new Date((client.expiresAt ?? 0) / 1000).toISOString()).toBe("2099-01-01T00:00:00.000Z");
    const assumed = aws.asked.findLast(({ form }) => form.get("Action") === "AssumeRole")?.form;
    expect(assumed?.get("DurationSeconds")).toBe("3600");
    expect(assumed?.get("RoleSessionName")).toBe("zenml-connector-0a0a0a0a-0000-4000-8000-000000000000");
    expect(JSON.parse(assumed?.get("Policy") ?? "")).toMatchObject({
      Statement: [{ Resource: ["arn:aws:s3:::data", "arn:aws:s3:::data/*"] }],
    });
  });

  test("hand on an access key as it is", async () => {
    const plain = connector("secret-key");
    const client = await connectorClient(plain, tools, { resourceType: "s3-bucket", resourceId: "data" });
    expect(client).toMatchObject({
      method: { auth_method: "secret-key" },
      configuration: key(aws.url),
      expiresAt: null,
    });
    const same = connector("secret-key", {}, { resourceType: "s3-bucket", resourceId: "s3://data" });
    expect(await connectorClient(same, tools, {})).toMatchObject({ name: "one", resourceId: "s3://data" });
  });

  test("log in to a registry and a cluster", async () => {
    const plain = connector("secret-key");
    expect(await connectorClient(plain, tools, { resourceType: "docker-registry" })).toMatchObject({
      type: { connector_type: "docker" },
      method: { auth_method: "password" },
      configuration: {
        username: "AWS",
        password: "registry:password",
        registry: "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com",
      },
    });
    const cluster = await connectorClient(plain, tools, {
      resourceType: "kubernetes-cluster",
      resourceId: "main",
    });
    expect(cluster).toMatchObject({
      type: { connector_type: "kubernetes" },
      method: { auth_method: "token" },
      configuration: { server: "https://eks.example.org", certificate_authority: "Q0E=" },
    });
    const token = String(cluster.configuration["token"]);
    const url = new URL(Buffer.from(token.replace("k8s-aws-v1.", ""), "base64url").toString());
    expect(url.host).toBe("sts.eu-west-1.amazonaws.com");
    expect(url.searchParams.get("X-Amz-SignedHeaders")).toBe("host;x-k8s-aws-id");
  });

  test("that have expired are not asked", async () => {
    const old = connector("sts-token", { aws_session_token: "given" }, { expiresAt: 1 });
    const before = aws.asked.length;
    expect((await verify(old)).error).toBe("the connector's authentication credentials have expired.");
    await expect(connectorClient(old, tools, { resourceType: "aws-generic" })).rejects.toThrow(
      "have expired",
    );
    expect(aws.asked.length).toBe(before);
  });

  test("need a resource for credentials, and one that they are for", async () => {
    await expect(connectorClient(connector("secret-key"), tools, {})).rejects.toThrow(
      "A resource type must be specified",
    );
    await expect(
      connectorClient(connector("secret-key"), tools, { resourceType: "s3-bucket" }),
    ).rejects.toThrow("A resource name must be specified");
    const bucket = connector("secret-key", {}, { resourceType: "s3-bucket" });
    await expect(connectorClient(bucket, tools, { resourceType: "aws-generic" })).rejects.toThrow(
      "a different resource type was requested: 'aws-generic'",
    );
  });
});
