import { AuthorizationFailure, type HttpAnswer, type Json, type Tools } from "./connector.ts";
import { reason, textIn } from "./http.ts";
import { signHeaders, type AwsKey, type AwsRequest } from "./aws-signature.ts";

export type AwsAnswer = HttpAnswer & {
  /** What stands in the elements of this name, in XML. */
  values(tag: string): string[];
  within(text: string, tag: string): string[];
  /** Whether it is the key that is wrong, and not the question. */
  readonly refusesKey: boolean;
};

export type AwsCalls = {
  sts(key: AwsKey, form: Readonly<Record<string, string>>): Promise<AwsAnswer>;
  /** The list of buckets, or one of them. */
  s3(key: AwsKey, method: "GET" | "HEAD", bucket: string): Promise<AwsAnswer>;
  ecr(key: AwsKey, operation: string, body: Json): Promise<AwsAnswer>;
  eks(key: AwsKey, path: string): Promise<AwsAnswer>;
};

type Place = Tools & { region: string; endpoint: string | undefined; suffix: string };

/** The few calls that a connector makes, each of one request. */
export function callAws({ http, now, region, endpoint, suffix }: Place): AwsCalls {
  const base = (host: string): string => (endpoint ?? `https://${host}.${suffix}`).replace(/\/+$/, "");

  const call = async (service: string, key: AwsKey, request: AwsRequest): Promise<AwsAnswer> => {
    const scope = { service, region, at: new Date(now() / 1000) };
    return read(await http({ ...request, headers: signHeaders(request, key, scope) }));
  };

  type BucketCall = { method: "GET" | "HEAD"; bucket: string; where: string };

  const s3 = async (key: AwsKey, { method, bucket, where }: BucketCall): Promise<AwsAnswer> => {
    const request: AwsRequest = { url: `${base(`s3.${where}`)}/${bucket}`, method };
    const scope = { service: "s3", region: where, at: new Date(now() / 1000) };
    const answer = read(await http({ ...request, headers: signHeaders(request, key, scope) }));
    // A bucket is asked for where it is; S3 says so of one that is elsewhere.
    const actual = answer.headers["x-amz-bucket-region"];
    const isElsewhere = (answer.status === 301 || answer.status === 400) && typeof actual === "string";
    const mayAsk = isElsewhere && endpoint === undefined && actual !== where && where === region;
    return mayAsk && /^[a-z0-9-]{1,32}$/.test(actual) ? s3(key, { method, bucket, where: actual }) : answer;
  };

  return {
    sts: (key, form) =>
      call("sts", key, {
        url: `${base(`sts.${region}`)}/`,
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
        body: new URLSearchParams(form).toString(),
      }),
    s3: (key, method, bucket) => s3(key, { method, bucket, where: region }),
    ecr: (key, operation, body) =>
      call("ecr", key, {
        url: `${base(`api.ecr.${region}`)}/`,
        method: "POST",
        headers: {
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": `AmazonEC2ContainerRegistry_V20150921.${operation}`,
        },
        body: JSON.stringify(body),
      }),
    eks: (key, path) => call("eks", key, { url: base(`eks.${region}`) + path, method: "GET" }),
  };
}

const KEY_ERRORS =
  /^(?:InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|UnrecognizedClientException|AuthFailure)/;

function read(answer: HttpAnswer): AwsAnswer {
  const values = (tag: string): string[] => within(answer.text, tag);
  return { ...answer, values, within, refusesKey: KEY_ERRORS.test(codeOf(answer) ?? "") };
}

const within = (text: string, tag: string): string[] =>
  [...text.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, "g"))].map(([, value = ""]) => decoded(value));

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
};
const decoded = (text: string): string =>
  text.replaceAll(/&(?:amp|lt|gt|quot|apos);/g, (one) => entities[one] ?? one);

/** In XML of STS and S3, and in JSON of the others, as `InvalidClientTokenId` or `com.amazon#UnrecognizedClient`. */
function codeOf(answer: HttpAnswer): string | undefined {
  const json = answer.json();
  const type = textIn(json, "__type") ?? textIn(json, "code") ?? within(answer.text, "Code")[0];
  return type?.replace(/^.*#/, "");
}

export function failure(what: string, answer: HttpAnswer): AuthorizationFailure {
  const json = answer.json();
  const said = textIn(json, "message") ?? textIn(json, "Message") ?? within(answer.text, "Message")[0];
  const code = codeOf(answer);
  const why = [code, said].filter((part) => part !== undefined).join(": ");
  return new AuthorizationFailure(`${what}: ${reason(why) || `the answer is ${answer.status}`}`);
}
