import { invalidParameter } from "../../../kernel/errors.ts";
import { isoToMicros, type Micros } from "../../../kernel/micros.ts";
import { callAws, failure, type AwsAnswer } from "./aws-calls.ts";
import { idOfBucket, idOfCluster, idOfRegistry, policyFor } from "./aws-resources.ts";
import { signUrl, type AwsKey } from "./aws-signature.ts";
import { derived, sameFor } from "./clients.ts";
import { textsOf } from "./configuration.ts";
import {
  AuthorizationFailure,
  notImplicit,
  once,
  optionalText,
  textOf,
  type Client,
  type Connector,
  type Driver,
  type OpenDriver,
} from "./connector.ts";
import { textIn, isJson, objectsOf } from "./http.ts";
import { dockerType, kubernetesType } from "./other-types.ts";

const STS_VERSION = "2011-06-15";
const EKS_TOKEN_SECONDS = 15 * 60;
const MICROS = 1_000_000;

type Session = { key: AwsKey; expiresAt: Micros | null };

/** AWS, and what speaks its protocols at `endpoint_url`. */
export const openAws: OpenDriver = (connector, tools) => {
  const { configuration, method } = connector;
  const region = textOf(configuration, "region");
  const endpoint = optionalText(configuration, "endpoint_url");
  const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const aws = callAws({ ...tools, region, endpoint, suffix });
  const own: AwsKey = {
    accessKeyId: textOf(configuration, "aws_access_key_id"),
    secretAccessKey: textOf(configuration, "aws_secret_access_key"),
    sessionToken: optionalText(configuration, "aws_session_token"),
  };
  const sessions = new Map<string, Promise<Session>>();

  const session = (resourceType: string, id?: string): Promise<Session> => {
    const name = `${resourceType} ${id ?? ""}`;
    const found = sessions.get(name) ?? authenticate(resourceType, id);
    sessions.set(name, found);
    return found;
  };

  const authenticate = async (resourceType: string, id: string | undefined): Promise<Session> => {
    switch (method.auth_method) {
      case "secret-key":
        return { key: own, expiresAt: null };
      case "sts-token":
        return { key: own, expiresAt: connector.expiresAt };
      case "implicit":
        throw notImplicit();
      default:
        return temporary(await aws.sts(own, temporaryRequest(connector, { resourceType, id, region })));
    }
  };

  const temporary = (answer: AwsAnswer): Session => {
    if (answer.status !== 200) throw failure("failed to get temporary credentials", answer);
    const [accessKeyId = "", secretAccessKey = "", sessionToken = "", expiration = ""] = [
      "AccessKeyId",
      "SecretAccessKey",
      "SessionToken",
      "Expiration",
    ].map((tag) => answer.values(tag)[0]);
    if (accessKeyId === "" || secretAccessKey === "" || sessionToken === "") {
      throw new AuthorizationFailure("failed to get temporary credentials: the answer holds none");
    }
    return {
      key: { accessKeyId, secretAccessKey, sessionToken },
      expiresAt: isoToMicros(expiration) ?? null,
    };
  };

  const callerIdentity = (key: AwsKey): Promise<AwsAnswer> =>
    aws.sts(key, { Action: "GetCallerIdentity", Version: STS_VERSION });

  const account = once(async () => {
    const answer = await callerIdentity((await session("aws-generic")).key);
    const [id] = answer.values("Account");
    if (answer.status !== 200 || id === undefined)
      throw failure("Failed to fetch the AWS account ID", answer);
    return id;
  });

  const listBuckets = async (key: AwsKey): Promise<string[]> => {
    const answer = await aws.s3(key, "GET", "");
    if (answer.status !== 200) throw failure("failed to list S3 buckets", answer);
    return answer.values("Bucket").flatMap((bucket) => answer.within(bucket, "Name"));
  };

  /** Services that speak S3 need not speak STS: there, a list of buckets proves the key. */
  const proveKey = async (key: AwsKey): Promise<void> => {
    const answer = await callerIdentity(key);
    if (answer.status === 200 && answer.values("Account").length > 0) return;
    if (endpoint === undefined || answer.refusesKey)
      throw failure("failed to verify AWS account access", answer);
    await listBuckets(key);
  };

  const verifyBucket = async (key: AwsKey, id: string): Promise<string[]> => {
    const bucket = idOfBucket(id);
    const answer = await aws.s3(key, "HEAD", bucket);
    if (answer.status !== 200) throw failure(`failed to fetch S3 bucket ${bucket}`, answer);
    return [id];
  };

  const verifyRegistry = async (key: AwsKey, id: string | undefined): Promise<string[]> => {
    const answer = await aws.ecr(key, "DescribeRepositories", {});
    if (answer.status !== 200) throw failure("failed to list ECR repositories", answer);
    if (objectsOf(answer.json()["repositories"]).length === 0) {
      throw new AuthorizationFailure("the AWS connector does not have access to any ECR repositories");
    }
    return id === undefined ? [] : [id];
  };

  const cluster = async (key: AwsKey, name: string): Promise<AwsAnswer> => {
    const answer = await aws.eks(key, `/clusters/${name}`);
    if (answer.status !== 200) throw failure(`Failed to fetch EKS cluster ${name}`, answer);
    return answer;
  };

  const verifyClusters = async (key: AwsKey, id: string | undefined): Promise<string[]> => {
    if (id !== undefined) {
      await cluster(key, idOfCluster(id, region));
      return [id];
    }
    const answer = await aws.eks(key, "/clusters");
    if (answer.status !== 200) throw failure("Failed to list EKS clusters", answer);
    const names = answer.json()["clusters"];
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  };

  const registryClient = async (id: string): Promise<Client> => {
    const { key, expiresAt } = await session("docker-registry", id);
    const answer = await aws.ecr(key, "GetAuthorizationToken", { registryIds: [idOfRegistry(id, region)] });
    const [data] = objectsOf(answer.json()["authorizationData"]);
    const token = data === undefined ? undefined : textIn(data, "authorizationToken");
    if (answer.status !== 200 || data === undefined || token === undefined) {
      throw failure("Failed to get authorization token from ECR", answer);
    }
    const [username = "", ...password] = Buffer.from(token, "base64").toString("utf8").split(":");
    return derived(connector, dockerType, {
      method: "password",
      resourceType: "docker-registry",
      id,
      expiresAt,
      configuration: {
        username,
        password: password.join(":"),
        registry: textIn(data, "proxyEndpoint") ?? id,
      },
    });
  };

  const clusterClient = async (id: string): Promise<Client> => {
    const name = idOfCluster(id, region);
    const { key } = await session("kubernetes-cluster", id);
    const found = (await cluster(key, name)).json()["cluster"];
    const about = isJson(found) ? found : {};
    const authority = about["certificateAuthority"];
    const identity = signUrl(
      {
        url: `https://sts.${region}.${suffix}/?Action=GetCallerIdentity&Version=${STS_VERSION}`,
        headers: { "x-k8s-aws-id": name },
        expiresSeconds: 60,
      },
      key,
      { service: "sts", region, at: new Date(tools.now() / 1000) },
    );
    return derived(connector, kubernetesType, {
      method: "token",
      resourceType: "kubernetes-cluster",
      id: textIn(about, "arn") ?? name,
      named: id,
      expiresAt: tools.now() + EKS_TOKEN_SECONDS * MICROS,
      configuration: {
        cluster_name: textIn(about, "arn") ?? name,
        server: textIn(about, "endpoint") ?? "",
        certificate_authority: isJson(authority) ? (textIn(authority, "data") ?? null) : null,
        token: `k8s-aws-v1.${Buffer.from(identity).toString("base64url")}`,
      },
    });
  };

  const keyClient = async (resourceType: string, id: string): Promise<Client | undefined> => {
    if (method.auth_method === "secret-key" || method.auth_method === "sts-token") {
      if (connector.resourceType === resourceType && connector.resourceId === id) return undefined;
      return sameFor(connector, resourceType, id);
    }
    const { key, expiresAt } = await session(resourceType, id);
    return derived(connector, connector.type, {
      method: "sts-token",
      resourceType,
      id,
      expiresAt,
      configuration: {
        region,
        ...(endpoint === undefined ? {} : { endpoint_url: endpoint }),
        aws_access_key_id: key.accessKeyId,
        aws_secret_access_key: key.secretAccessKey,
        aws_session_token: key.sessionToken,
      },
    });
  };

  return {
    canonicalId(resourceType, id) {
      if (resourceType === "s3-bucket") return `s3://${idOfBucket(id)}`;
      if (resourceType === "kubernetes-cluster") return idOfCluster(id, region);
      if (resourceType === "docker-registry")
        return `${idOfRegistry(id, region)}.dkr.ecr.${region}.${suffix}`;
      return id;
    },
    defaultId: async (resourceType) =>
      resourceType === "docker-registry" ? `${await account()}.dkr.ecr.${region}.${suffix}` : region,
    async verify(resourceType, id) {
      const { key } = await session(resourceType ?? "aws-generic", id);
      switch (resourceType) {
        case "s3-bucket":
          if (endpoint === undefined) await proveKey(key);
          return id === undefined
            ? (await listBuckets(key)).map((name) => `s3://${name}`)
            : verifyBucket(key, id);
        case "docker-registry":
          return verifyRegistry(key, id);
        case "kubernetes-cluster":
          return verifyClusters(key, id);
        default:
          await proveKey(key);
          return id === undefined ? [] : [id];
      }
    },
    async client(resourceType, id) {
      if (resourceType === "docker-registry") return registryClient(id);
      if (resourceType === "kubernetes-cluster") return clusterClient(id);
      return keyClient(resourceType, id);
    },
  } satisfies Driver;
};

/** What STS is asked for, limited to the resource where the connector has no policy of its own. */
function temporaryRequest(
  { id: connectorId, configuration, method, expirationSeconds }: Connector,
  { resourceType, id, region }: { resourceType: string; id: string | undefined; region: string },
): Record<string, string> {
  const name = connectorId === null ? "zenml-connector" : `zenml-connector-${connectorId}`;
  const duration = expirationSeconds === null ? {} : { DurationSeconds: String(expirationSeconds) };
  if (method.auth_method === "session-token") {
    return { Action: "GetSessionToken", Version: STS_VERSION, ...duration };
  }
  const arns = textsOf(configuration["policy_arns"]);
  const policy =
    optionalText(configuration, "policy") ??
    (arns.length === 0 ? policyFor(region, resourceType, id) : undefined);
  const limits =
    policy === undefined
      ? Object.fromEntries(arns.map((arn, at) => [`PolicyArns.member.${at + 1}.arn`, arn]))
      : { Policy: policy };
  if (method.auth_method === "iam-role") {
    const RoleArn = textOf(configuration, "role_arn");
    return {
      Action: "AssumeRole",
      Version: STS_VERSION,
      RoleArn,
      RoleSessionName: name,
      ...duration,
      ...limits,
    };
  }
  if (method.auth_method === "federation-token") {
    return {
      Action: "GetFederationToken",
      Version: STS_VERSION,
      Name: name.slice(0, 32),
      ...duration,
      ...limits,
    };
  }
  throw invalidParameter(`There is no way of authenticating with AWS called '${method.auth_method}'.`);
}
