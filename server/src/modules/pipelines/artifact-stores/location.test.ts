import { describe, expect, it } from "vitest";
import { keyOf, parseStorePath } from "./location.ts";

const kindOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as { kind?: string }).kind;
  }
};

describe("addresses in an artifact store", () => {
  const path = parseStorePath("s3://bucket/some/path/");
  const key = (uri: string): unknown => kindOf(() => keyOf(uri, { path, name: "store" }));

  it("are keys below the path of the store", () => {
    expect(path).toStrictEqual({ scheme: "s3", bucket: "bucket", prefix: "some/path/" });
    expect(key("s3://bucket/some/path/logs/a.log")).toBe("some/path/logs/a.log");
    expect(key("s3://bucket/some/path/logs/")).toBe("some/path/logs");
    expect(key("s3://bucket/some/path\\logs\\a.log")).toBe("some/path/logs/a.log");
    expect(keyOf("s3://b/x", { path: parseStorePath("'s3://b'"), name: "" })).toBe("x");
  });

  it("lead nowhere else", () => {
    const elsewhere = [
      "s3://bucket/some/pathology/a",
      "s3://bucket/some/path",
      "s3://bucket/some/path/",
      "s3://other/some/path/a",
      "gs://bucket/some/path/a",
      "s3://bucket/some/path/../../a",
      "s3://bucket/some/path/./a",
      "s3://bucket/some/path\\..\\a",
      "s3://bucket/some/path/a\u0000",
      "s3://bucket/some/path/a\nb",
      "http://169.254.169.254/latest",
      "s3://",
    ];
    for (const uri of elsewhere) expect([uri, key(uri)]).toStrictEqual([uri, "outside"]);
  });

  it("are never files of this machine", () => {
    for (const uri of [
      "/etc/passwd",
      "file:///etc/passwd",
      "file://localhost/etc/passwd",
      "C:\\x",
      "",
      "etc",
    ]) {
      expect([uri, key(uri)]).toStrictEqual([uri, "local"]);
    }
    for (const one of ["", "/tmp/x", "file:///tmp", "C:\\store"]) {
      expect(kindOf(() => parseStorePath(one))).toBe("local");
    }
  });
});
