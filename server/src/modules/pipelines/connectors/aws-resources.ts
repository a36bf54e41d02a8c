import { invalidParameter } from "../../../kernel/errors.ts";

/** How resources of AWS are called. Throw `invalid_parameter` for what is no such name. */

const BUCKET = "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]";
const bucketForms = [
  new RegExp(`^arn:aws:s3:::(${BUCKET})(?:/.*)?$`),
  new RegExp(`^s3://(${BUCKET})(?:/.*)?$`),
  new RegExp(`^(${BUCKET})$`),
];

export function idOfBucket(given: string): string {
  for (const form of bucketForms) {
    const name = form.exec(given)?.[1];
    if (name !== undefined) return name;
  }
  throw invalidParameter(
    `Invalid resource ID for an S3 bucket: ${given}. Supported formats are: arn:aws:s3:::<bucket-name>, ` +
      "s3://<bucket-name>, <bucket-name>",
  );
}

export function idOfCluster(given: string, region: string): string {
  const [, where, inArn] = /^arn:aws:eks:([a-z0-9-]+):\d{12}:cluster\/([0-9A-Za-z][\w-]*)$/.exec(given) ?? [];
  const name = inArn ?? /^[0-9A-Za-z][\w-]*$/.exec(given)?.[0];
  if (name === undefined) {
    throw invalidParameter(
      `Invalid resource ID for a EKS cluster: ${given}. Supported formats are: ` +
        "arn:aws:eks:<region>:<account-id>:cluster/<cluster-name>, <cluster-name>",
    );
  }
  requireRegion(given, where, region);
  return name;
}

/** The id of the account whose registry it is. */
export function idOfRegistry(given: string, region: string): string {
  const [, whereInArn, inArn] = /^arn:aws:ecr:([a-z0-9-]+):(\d{12}):repository(?:\/.+)?$/.exec(given) ?? [];
  const [, inUri, whereInUri] =
    /^(?:https?:\/\/)?(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?(?:\/.+)?$/.exec(given) ?? [];
  const account = inArn ?? inUri;
  if (account === undefined) {
    throw invalidParameter(
      `Invalid resource ID for a ECR registry: ${given}. Supported formats are: ` +
        "arn:aws:ecr:<region>:<account-id>:repository[/<repository-name>], " +
        "[https://]<account-id>.dkr.ecr.<region>.amazonaws.com[/<repository-name>]",
    );
  }
  requireRegion(given, whereInArn ?? whereInUri, region);
  return account;
}

function requireRegion(given: string, where: string | undefined, region: string): void {
  if (where === undefined || where === region) return;
  throw invalidParameter(
    `The AWS region of ${given} ('${where}') does not match the region configured in the connector: '${region}'.`,
  );
}

const bucketActions = [
  "s3:ListBucket",
  "s3:GetObject",
  "s3:PutObject",
  "s3:DeleteObject",
  "s3:ListAllMyBuckets",
  "s3:GetBucketVersioning",
  "s3:ListBucketVersions",
  "s3:DeleteObjectVersion",
];
const registryActions = [
  "ecr:DescribeRegistry",
  "ecr:DescribeRepositories",
  "ecr:ListRepositories",
  "ecr:BatchGetImage",
  "ecr:DescribeImages",
  "ecr:BatchCheckLayerAvailability",
  "ecr:GetDownloadUrlForLayer",
  "ecr:InitiateLayerUpload",
  "ecr:UploadLayerPart",
  "ecr:CompleteLayerUpload",
  "ecr:PutImage",
];

type Statement = { Effect: "Allow"; Action: readonly string[]; Resource: readonly string[] };

/** The least that one resource takes, as JSON; undefined where everything may be used. */
export function policyFor(region: string, resourceType: string, id: string | undefined): string | undefined {
  const statements = statementsFor(region, resourceType, id);
  return statements.length === 0
    ? undefined
    : JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

const allow = (Action: readonly string[], Resource: readonly string[]): Statement => ({
  Effect: "Allow",
  Action,
  Resource,
});

function statementsFor(region: string, resourceType: string, id: string | undefined): Statement[] {
  switch (resourceType) {
    case "s3-bucket": {
      const bucket = id === undefined ? "*" : idOfBucket(id);
      return [allow(bucketActions, [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`])];
    }
    case "kubernetes-cluster": {
      const name = id === undefined ? "*" : idOfCluster(id, region);
      return [
        allow(["eks:ListClusters", "eks:DescribeCluster"], [`arn:aws:eks:${region}:*:cluster/${name}`]),
      ];
    }
    case "docker-registry":
      return [
        allow(registryActions, [
          `arn:aws:ecr:${region}:*:repository/*`,
          `arn:aws:ecr:${region}:*:repository`,
        ]),
        allow(["ecr:GetAuthorizationToken"], ["*"]),
      ];
    default:
      return [];
  }
}
