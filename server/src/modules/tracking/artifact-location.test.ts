import { describe, expect, test } from "vitest";
import { PlinthError } from "../../kernel/errors.ts";
import { checkArtifactLocation } from "./artifact-location.ts";

function refusal(location: string): string | undefined {
  try {
    checkArtifactLocation(location);
  } catch (error) {
    if (error instanceof PlinthError && error.code === "invalid_parameter") return error.message;
    throw error;
  }
  return undefined;
}

describe("artifact locations", () => {
  test.each([
    "mlflow-artifacts:/shared/models",
    "mlflow-artifacts:///shared",
    "s3://bucket/prefix",
    "s3://bucket",
    "gs://bucket/a%20b/ü",
    "S3://bucket/x;y",
    "wasbs://container@account.blob.core.windows.net/path",
    "dbfs:/databricks/mlflow",
    "s3://bucket/prefix?endpoint=x",
    "oss://bucket/a..b",
  ])("%s is accepted", (location) => {
    expect(refusal(location)).toBeUndefined();
  });

  test.each([
    ["http:///#/../../../../etc/", "fragments or params"], // CVE-2024-1483, 1594, 2928, 3848
    ["s3://bucket/x#", "fragments or params"],
    ["http:///a;b", "fragments or params"], // CVE-2024-1593
    ["http:///;/../../../etc/", "cannot use the 'http' scheme"],
    ["http:///?/../../../../etc/", "Invalid query string"], // CVE-2023-6909
    ["dbfs:/x?/../../etc", "Invalid query string"], // CVE-2024-8859
    ["s3://bucket/x?%2e%2e/", "Invalid query string"],
    ["s3://bucket/x?%25252e%25252e/", "Invalid query string"],
    ["http:///x", "cannot use the 'http' scheme"],
    ["HTTPS://host/x", "cannot use the 'https' scheme"],
    ["ftp://host/x", "cannot use the 'ftp' scheme"],
    ["mlflow-artifacts://host/x", "cannot use the 'mlflow-artifacts' scheme"],
    ["runs:/abc/model", "Artifact location cannot be a runs:/ URI"],
    ["/etc", "not a path of the server"],
    ["relative/path", "not a path of the server"],
    ["../up", "not a path of the server"],
    ["//proc/self/root", "not a path of the server"],
    ["file:///etc", "not a path of the server"],
    ["FILE:///etc", "not a path of the server"],
    ["file:etc", "not a path of the server"],
    ["://etc", "not a path of the server"],
    [":///etc", "not a path of the server"],
    [String.raw`C:\Windows`, "not a path of the server"],
    ["c:/Windows", "not a path of the server"],
    ["mlflow-artifacts:x", "not a path of the server"],
    ["models:/m/1", "not a path of the server"],
    [" s3://bucket", "not a path of the server"],
    ["\nfile:///etc", "not a path of the server"],
    ["mlflow-artifacts:/../../etc", "Invalid path"],
    ["mlflow-artifacts:/a/%2e%2e/%2E%2E/etc", "Invalid path"],
    ["mlflow-artifacts:/a/%252e%252e/etc", "Invalid path"],
    ["mlflow-artifacts:/a/./b", "Invalid path"],
    [String.raw`mlflow-artifacts:/a\..\b`, "Invalid path"],
    ["mlflow-artifacts:/a%5c..%5cb", "Invalid path"],
    ["mlflow-artifacts:/a%00", "Invalid path"],
    ["mlflow-artifacts:/a?b=c", "Invalid path"],
    ["s3://bucket/../x", "Invalid path"],
    [`s3://bucket/${"x".repeat(2040)}`, "Invalid artifact path length"],
    // Escapes within escapes without end: refused, whatever they would become.
    [`s3://bucket/%${"25".repeat(20)}2e`, "Invalid path"],
  ] as const)("%s is refused", (location, message) => {
    expect(refusal(location)).toContain(message);
  });
});
