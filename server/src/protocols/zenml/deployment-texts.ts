import type { DeploymentProvider } from "../../modules/pipelines/index.ts";

/** What people read before and after they deploy a stack in a cloud, and the files that they deploy it with. */

type Texts = {
  /** How labels of stacks call the cloud's own way. */
  deployment: string;
  description: string;
  instructions: string;
  after: string;
};

const DOCS = "https://docs.zenml.io";

const resources: Readonly<Record<DeploymentProvider, readonly string[]>> = {
  aws: [
    `an S3 bucket, as [artifact store](${DOCS}/stack-components/artifact-stores/s3)`,
    `an ECR repository, as [container registry](${DOCS}/stack-components/container-registries/aws)`,
    "SageMaker, as orchestrator and step operator",
    "a CodeBuild project, as image builder",
    "an IAM role and user with the rights for these, and an access key, kept in a service connector",
  ],
  gcp: [
    `a Cloud Storage bucket, as [artifact store](${DOCS}/stack-components/artifact-stores/gcp)`,
    `an Artifact Registry, as [container registry](${DOCS}/stack-components/container-registries/gcp)`,
    "Vertex AI, as orchestrator and step operator",
    "Cloud Build, as image builder",
    "a service account with the roles for these, and a key, kept in a service connector",
  ],
  azure: [
    "a resource group that holds everything",
    `a storage account with a container, as [artifact store](${DOCS}/stack-components/artifact-stores/azure)`,
    `a Container Registry, as [container registry](${DOCS}/stack-components/container-registries/azure)`,
    "an AzureML workspace with its key vault, as orchestrator and step operator",
    "a service principal with the roles for these, and a client secret, kept in a service connector",
  ],
};

const ways: Readonly<
  Record<DeploymentProvider, { cloud: string; deployment: string; how: string; undo: string }>
> = {
  aws: {
    cloud: "AWS",
    deployment: "cloud-formation",
    how: "The AWS console opens with a CloudFormation stack whose parameters are filled in: review and create it.",
    undo: "the CloudFormation stack in the AWS console",
  },
  gcp: {
    cloud: "Google Cloud",
    deployment: "deployment-manager",
    how: "A Google Cloud Shell opens with ZenML's deployment scripts. Review them, trust their repository so that the session has access to your projects, and follow the steps shown beside them.",
    undo: "the Deployment Manager deployment in the Google Cloud console",
  },
  azure: {
    cloud: "Azure",
    deployment: "azure-cloud-shell",
    how: "An Azure Cloud Shell opens. The stack is deployed there with Terraform, from a configuration that is shown.",
    undo: "the resource group and the service principal in Azure",
  },
};

export function textsOf(provider: DeploymentProvider): Texts {
  const { cloud, deployment, how, undo } = ways[provider];
  return {
    deployment,
    description: `Creates what a ZenML stack needs in ${cloud}, and registers the stack on this server.`,
    instructions: [
      how,
      "It creates, and may cause costs for:",
      resources[provider].map((one) => `- ${one}`).join("\n"),
      `The credentials are sent to this server. To take them back, delete ${undo}.`,
      "When it is done, return here: the stack is shown as soon as it is registered.",
    ].join("\n\n"),
    after: `The stack is registered. To take back its access to ${cloud} and remove what was created, delete ${undo}.`,
  };
}

export type DeploymentGiven = {
  stackName: string;
  location: string | undefined;
  /** Of this server. */
  url: string;
  token: string;
  /** Of what is created. */
  resourceName: string;
};

/** Opens CloudFormation with its parameters. */
export function awsConsole({ stackName, location, url, token, resourceName }: DeploymentGiven): string {
  const parameters = new URLSearchParams({
    stackName,
    templateURL: "https://zenml-cf-templates.s3.eu-central-1.amazonaws.com/aws-ecr-s3-sagemaker.yaml",
    param_ResourceName: resourceName,
    param_ZenMLServerURL: url,
    param_ZenMLServerAPIToken: token,
    param_CodeBuild: "true",
  });
  const region = location === undefined ? "" : `region=${encodeURIComponent(location)}`;
  return `https://console.aws.amazon.com/cloudformation/home?${region}#/stacks/create/review?${parameters.toString().replaceAll("+", "%20")}`;
}

export const gcpShell = (): string =>
  `https://shell.cloud.google.com/cloudshell/editor?${new URLSearchParams({
    cloudshell_git_repo: "https://github.com/zenml-io/zenml",
    cloudshell_workspace: "infra/gcp",
    cloudshell_open_in_editor: "gcp-gar-gcs-vertex.jinja,gcp-gar-gcs-vertex-deploy.sh",
    cloudshell_tutorial: "gcp-gar-gcs-vertex.md",
    ephemeral: "true",
  }).toString()}`;

/** What ZenML's script in the Cloud Shell reads, one setting a line. */
export const gcpSettings = ({ stackName, location, url, token }: DeploymentGiven): string =>
  [
    "### BEGIN CONFIGURATION ###",
    `ZENML_STACK_NAME=${stackName}`,
    `ZENML_STACK_REGION=${location ?? "europe-west3"}`,
    `ZENML_SERVER_URL=${url}`,
    `ZENML_SERVER_API_TOKEN=${token}`,
    "### END CONFIGURATION ###",
  ].join("\n");

const VERSIONS = "~> 2.0";

const clouds: Readonly<
  Record<DeploymentProvider, { sources: readonly string[]; region: string; provider(region: string): string }>
> = {
  aws: {
    sources: ["aws"],
    region: "eu-central-1",
    provider: (region) => `provider "aws" {\n  region = ${region}\n}`,
  },
  gcp: {
    sources: ["google"],
    region: "europe-west3",
    // The project is the user's to fill in.
    provider: (region) => `provider "google" {\n  region  = ${region}\n  project = "<project>"\n}`,
  },
  azure: {
    sources: ["azurerm", "azuread"],
    region: "eastus",
    provider: () =>
      `provider "azurerm" {\n  features {\n    resource_group {\n      prevent_deletion_if_contains_resources = false\n    }\n  }\n}`,
  },
};

/** A Terraform configuration with ZenML's own modules, whole. */
export function terraformOf(
  provider: DeploymentProvider,
  { stackName, location, url, token }: DeploymentGiven,
  deployment: string,
): string {
  const cloud = clouds[provider];
  const region = quoted(location ?? cloud.region);
  const sources = cloud.sources.map((name) => `    ${name} = {\n      source = "hashicorp/${name}"\n    }\n`);
  const place = provider === "azure" ? `  location               = ${region}\n` : "";
  return `terraform {
  required_providers {
${sources.join("")}    zenml = {
      source  = "zenml-io/zenml"
      version = "${VERSIONS}"
    }
  }
}

${cloud.provider(region)}

provider "zenml" {
  server_url = ${quoted(url)}
  api_token  = ${quoted(token)}
}

module "zenml_stack" {
  source  = "zenml-io/zenml-stack/${provider}"
  version = "${VERSIONS}"

${place}  zenml_stack_name       = ${quoted(stackName)}
  zenml_stack_deployment = ${quoted(deployment)}
}

output "zenml_stack_id" {
  value = module.zenml_stack.zenml_stack_id
}

output "zenml_stack_name" {
  value = module.zenml_stack.zenml_stack_name
}
`;
}

/** A text of HCL, in which nothing is worked out. */
const quoted = (text: string): string => JSON.stringify(text).replaceAll("${", "$${").replaceAll("%{", "%%{");
