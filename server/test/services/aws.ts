import { startService, type Asked, type Said, type Service } from "./service.ts";

type Known = {
  accessKeyId: string;
  buckets: readonly string[];
  /** Without: a store that speaks S3 alone. */
  hasTokens: boolean;
};

const EXPIRATION = "2099-01-01T00:00:00Z";

/** S3, and STS, ECR and EKS beside it, for whoever signs with the key that is known or with what was made of it. */
export const startAws = ({ accessKeyId, buckets, hasTokens }: Known): Promise<Service> =>
  startService((asked) => {
    const [, id = "", service = ""] =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/[a-z0-9-]+\/([a-z0-9]+)\/aws4_request, /.exec(
        asked.headers.authorization ?? "",
      ) ?? [];
    const isTemporary = id === "ASIATEMPORARY" && asked.headers["x-amz-security-token"] === "made-token";
    if (id !== accessKeyId && !isTemporary) {
      return refusal("InvalidClientTokenId", "The security token included in the request is invalid");
    }
    if (service === "s3") return s3(asked, buckets);
    if (!hasTokens) return { status: 405, body: "<Error><Code>MethodNotAllowed</Code></Error>" };
    if (service === "sts") return sts(asked.form.get("Action") ?? "", asked.form);
    return service === "ecr" ? ecr(asked) : eks(asked);
  });

const refusal = (code: string, message: string): Said => ({
  status: 403,
  body: `<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
});

function s3({ method, url }: Asked, buckets: readonly string[]): Said {
  if (method === "HEAD") return { status: buckets.includes(url.pathname.slice(1)) ? 200 : 404 };
  const listed = buckets.map((name) => `<Bucket><Name>${name}</Name></Bucket>`).join("\n");
  return {
    body: `<ListAllMyBucketsResult><Owner><ID>o</ID></Owner><Buckets>${listed}</Buckets></ListAllMyBucketsResult>`,
  };
}

function sts(action: string, form: URLSearchParams): Said {
  if (action === "GetCallerIdentity") {
    return { body: "<GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>" };
  }
  if (action === "AssumeRole" && form.get("RoleArn") !== "arn:aws:iam::123456789012:role/reader") {
    return refusal("AccessDenied", "not authorized to perform: sts:AssumeRole");
  }
  return {
    body: `<Result><Credentials>
      <AccessKeyId>ASIATEMPORARY</AccessKeyId><SecretAccessKey>made-secret</SecretAccessKey>
      <SessionToken>made-token</SessionToken><Expiration>${EXPIRATION}</Expiration></Credentials></Result>`,
  };
}

function ecr({ headers }: Asked): Said {
  if (String(headers["x-amz-target"]).endsWith(".DescribeRepositories")) {
    return { body: { repositories: [{ repositoryName: "images" }] } };
  }
  const authorizationToken = Buffer.from("AWS:registry:password").toString("base64");
  const proxyEndpoint = "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com";
  return { body: { authorizationData: [{ authorizationToken, proxyEndpoint }] } };
}

function eks({ url }: Asked): Said {
  if (url.pathname === "/clusters") return { body: { clusters: ["main"] } };
  if (url.pathname !== "/clusters/main") return { status: 404, body: { message: "No cluster found" } };
  const arn = "arn:aws:eks:eu-west-1:123456789012:cluster/main";
  return {
    body: { cluster: { arn, endpoint: "https://eks.example.org", certificateAuthority: { data: "Q0E=" } } },
  };
}
