import { createHash, createHmac } from "node:crypto";

/**
 * Signature Version 4 of AWS
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
 */

export type AwsKey = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
};

export type AwsRequest = {
  readonly url: string;
  readonly method: "GET" | "HEAD" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type AwsScope = { readonly service: string; readonly region: string; readonly at: Date };

const ALGORITHM = "AWS4-HMAC-SHA256";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** The headers of a request with its signature. */
export function signHeaders(request: AwsRequest, key: AwsKey, scope: AwsScope): Record<string, string> {
  const url = new URL(request.url);
  const hash = sha256(request.body ?? "");
  const signed: Record<string, string> = {
    ...request.headers,
    host: url.host,
    "x-amz-date": stampOf(scope.at),
    ...(scope.service === "s3" ? { "x-amz-content-sha256": hash } : {}),
    ...(key.sessionToken === undefined ? {} : { "x-amz-security-token": key.sessionToken }),
  };
  const signature = sign({ method: request.method, url, headers: signed, hash }, key, scope);
  const { host: _host, ...sent } = signed;
  return {
    ...sent,
    authorization:
      `${ALGORITHM} Credential=${key.accessKeyId}/${scopeOf(scope)}, ` +
      `SignedHeaders=${namesOf(signed)}, Signature=${signature}`,
  };
}

/** An address that whoever has it may GET for a while. */
export function signUrl(
  request: Pick<AwsRequest, "url" | "headers"> & { readonly expiresSeconds: number },
  key: AwsKey,
  scope: AwsScope,
): string {
  const url = new URL(request.url);
  const headers = { ...request.headers, host: url.host };
  const added: Record<string, string> = {
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": `${key.accessKeyId}/${scopeOf(scope)}`,
    "X-Amz-Date": stampOf(scope.at),
    "X-Amz-Expires": String(request.expiresSeconds),
    "X-Amz-SignedHeaders": namesOf(headers),
    ...(key.sessionToken === undefined ? {} : { "X-Amz-Security-Token": key.sessionToken }),
  };
  for (const [name, value] of Object.entries(added)) url.searchParams.set(name, value);
  const signature = sign({ method: "GET", url, headers, hash: sha256("") }, key, scope);
  return `${url.origin}${url.pathname}?${queryOf(url)}&X-Amz-Signature=${signature}`;
}

type Canonical = { method: string; url: URL; headers: Readonly<Record<string, string>>; hash: string };

function sign({ method, url, headers, hash }: Canonical, key: AwsKey, scope: AwsScope): string {
  const lines = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value.trim().replaceAll(/\s+/g, " ")] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`);
  const canonical = [method, url.pathname, queryOf(url), lines.join(""), namesOf(headers), hash].join("\n");
  const toSign = [ALGORITHM, stampOf(scope.at), scopeOf(scope), sha256(canonical)].join("\n");
  const parts = [dayOf(scope.at), scope.region, scope.service, "aws4_request"];
  const signing = parts.reduce<string | Buffer>(hmac, `AWS4${key.secretAccessKey}`);
  return hmac(signing, toSign).toString("hex");
}

/** RFC 3986: everything but letters, digits and four marks. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const queryOf = (url: URL): string =>
  [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");

const namesOf = (headers: Readonly<Record<string, string>>): string =>
  Object.keys(headers)
    .map((name) => name.toLowerCase())
    .sort()
    .join(";");

const stampOf = (at: Date): string => at.toISOString().replaceAll(/[-:]|\.\d+/g, "");
const dayOf = (at: Date): string => stampOf(at).slice(0, 8);
const scopeOf = ({ at, region, service }: AwsScope): string =>
  `${dayOf(at)}/${region}/${service}/aws4_request`;
