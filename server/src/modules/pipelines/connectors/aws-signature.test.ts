import { describe, expect, test } from "vitest";
import { signHeaders, signUrl } from "./aws-signature.ts";

// The key of AWS' own examples.
const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const scope = { service: "service", region: "us-east-1", at: new Date("2015-08-30T12:36:00Z") };

describe("signatures of AWS", () => {
  // "get-vanilla" and others of the test suite for Signature Version 4.
  test.each([
    [
      "GET",
      "https://example.amazonaws.com/",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ],
    [
      "GET",
      "https://example.amazonaws.com/?Param2=value2&Param1=value1",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    [
      "POST",
      "https://example.amazonaws.com/",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ],
  ] as const)("%s %s", (method, url, signature) => {
    expect(signHeaders({ method, url }, key, scope)).toStrictEqual({
      "x-amz-date": "20150830T123600Z",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
        `SignedHeaders=host;x-amz-date, Signature=${signature}`,
    });
  });

  test("in an address", () => {
    // The example of https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html signs a payload that
    // is not told; the parts that say what is signed are the same.
    const signed = signUrl(
      {
        url: "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
        headers: { "x-k8s-aws-id": "c" },
        expiresSeconds: 60,
      },
      { ...key, sessionToken: "t/+" },
      { ...scope, service: "sts" },
    );
    const { searchParams } = new URL(signed);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      Action: "GetCallerIdentity",
      "X-Amz-Credential": "AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request",
      "X-Amz-Expires": "60",
      "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
      "X-Amz-Security-Token": "t/+",
    });
    expect(searchParams.get("X-Amz-Signature")).toMatch(/^[0-9a-f]{64}$/);
  });
});
