import { flag, optional, secret, text, texts, uuid } from "./attributes.ts";
import { authMethod, connectorType } from "./connector-type.ts";

/** What ZenML's clients know of the three large clouds: names, attributes and limits are its own. */

const awsPlace = {
  region: text("Region of AWS"),
  endpoint_url: optional(text("Address of a service like AWS")),
};
const awsKey = {
  aws_access_key_id: secret("Id of the access key"),
  aws_secret_access_key: secret("Secret of the access key"),
};
const awsPolicy = {
  policy_arns: optional(texts("Managed policies that limit the temporary credentials")),
  policy: optional(text("A policy, as JSON, that limits the temporary credentials")),
};
const HOUR = 3600;
const awsTemporary = {
  min_expiration_seconds: HOUR / 4,
  max_expiration_seconds: 36 * HOUR,
  default_expiration_seconds: 12 * HOUR,
};

export const awsType = connectorType({
  name: "AWS Service Connector",
  connector_type: "aws",
  description:
    "Amazon Web Services, and services that speak its protocols: S3 buckets, ECR registries, EKS clusters.",
  emoji: ":large_orange_diamond:",
  supports_auto_configuration: true,
  auth_methods: [
    authMethod({
      name: "AWS Implicit Authentication",
      auth_method: "implicit",
      description: "The credentials of the place where the server runs. This server does not lend its own.",
      attributes: {
        ...awsPolicy,
        ...awsPlace,
        profile_name: optional(text("Name of a profile")),
        role_arn: optional(text("ARN of a role to assume")),
      },
      min_expiration_seconds: HOUR / 4,
      default_expiration_seconds: HOUR,
    }),
    authMethod({
      name: "AWS Secret Key",
      auth_method: "secret-key",
      description:
        "An access key of a user, handed on as it is. Prefer ways that make temporary credentials.",
      attributes: { ...awsKey, ...awsPlace },
    }),
    authMethod({
      name: "AWS STS Token",
      auth_method: "sts-token",
      description: "Temporary credentials that were made elsewhere, until they expire.",
      attributes: { ...awsKey, aws_session_token: secret("Session token"), ...awsPlace },
    }),
    authMethod({
      name: "AWS IAM Role",
      auth_method: "iam-role",
      description: "Assumes a role with an access key, and hands on its temporary credentials.",
      attributes: { ...awsPolicy, ...awsKey, ...awsPlace, role_arn: text("ARN of the role to assume") },
      min_expiration_seconds: HOUR / 4,
      default_expiration_seconds: HOUR,
    }),
    authMethod({
      name: "AWS Session Token",
      auth_method: "session-token",
      description: "Hands on temporary credentials of the user whose access key it is.",
      attributes: { ...awsKey, ...awsPlace },
      ...awsTemporary,
    }),
    authMethod({
      name: "AWS Federation Token",
      auth_method: "federation-token",
      description: "Hands on temporary credentials that a policy limits to what is asked for.",
      attributes: { ...awsPolicy, ...awsKey, ...awsPlace },
      ...awsTemporary,
    }),
  ],
  resource_types: [
    {
      name: "Generic AWS resource",
      resource_type: "aws-generic",
      description: "Any service of AWS in the region, by a session of its own library.",
      supports_instances: false,
      emoji: ":large_orange_diamond:",
    },
    {
      name: "AWS S3 bucket",
      resource_type: "s3-bucket",
      description: "A bucket: s3://name, its ARN, or its name.",
      supports_instances: true,
      emoji: ":package:",
    },
    {
      name: "AWS EKS Kubernetes cluster",
      resource_type: "kubernetes-cluster",
      description: "A cluster: its name or its ARN.",
      supports_instances: true,
      emoji: ":cyclone:",
    },
    {
      name: "AWS ECR container registry",
      resource_type: "docker-registry",
      description: "The registry of the account in the region.",
      supports_instances: false,
      emoji: ":whale:",
    },
  ],
});

const gcpProject = { project_id: text("Id of the project") };
const gcpTokens = { generate_temporary_tokens: flag("Hand on temporary tokens instead of the key", true) };

export const gcpType = connectorType({
  name: "GCP Service Connector",
  connector_type: "gcp",
  description: "Google Cloud: storage buckets, artifact registries, GKE clusters.",
  emoji: ":blue_circle:",
  supports_auto_configuration: true,
  auth_methods: [
    authMethod({
      name: "GCP Implicit Authentication",
      auth_method: "implicit",
      description: "The credentials of the place where the server runs. This server does not lend its own.",
      attributes: gcpProject,
    }),
    authMethod({
      name: "GCP User Account",
      auth_method: "user-account",
      description: "The refresh token of a user, exchanged for temporary tokens.",
      attributes: {
        user_account_json: secret("Credentials of the user as JSON, also in base64"),
        ...gcpTokens,
        ...gcpProject,
      },
    }),
    authMethod({
      name: "GCP Service Account",
      auth_method: "service-account",
      description: "The key of a service account, exchanged for temporary tokens.",
      attributes: {
        service_account_json: secret("Key of the service account as JSON, also in base64"),
        ...gcpTokens,
        project_id: optional(gcpProject.project_id),
      },
    }),
    authMethod({
      name: "GCP External Account",
      auth_method: "external-account",
      description:
        "An identity of another provider, exchanged for temporary tokens (workload identity federation).",
      attributes: {
        external_account_json: secret("Configuration of the external account as JSON, also in base64"),
        ...gcpTokens,
        ...gcpProject,
      },
    }),
    authMethod({
      name: "GCP Oauth 2.0 Token",
      auth_method: "oauth2-token",
      description: "A temporary token that was made elsewhere, until it expires.",
      attributes: {
        token: secret("Token"),
        ...gcpProject,
        service_account_email: optional(text("E-mail address of the service account whose token it is")),
      },
    }),
    authMethod({
      name: "GCP Service Account Impersonation",
      auth_method: "impersonation",
      description: "Temporary tokens of another service account, which this one may act as.",
      attributes: {
        service_account_json: secret("Key of the service account as JSON, also in base64"),
        ...gcpTokens,
        project_id: optional(gcpProject.project_id),
        target_principal: text("E-mail address of the service account to act as"),
      },
      max_expiration_seconds: HOUR,
      default_expiration_seconds: HOUR,
    }),
  ],
  resource_types: [
    {
      name: "Generic GCP resource",
      resource_type: "gcp-generic",
      description: "Any service of Google Cloud in the project, by credentials of its own library.",
      supports_instances: false,
      emoji: ":blue_circle:",
    },
    {
      name: "GCP GCS bucket",
      resource_type: "gcs-bucket",
      description: "A bucket: gs://name or its name.",
      supports_instances: true,
      emoji: ":package:",
    },
    {
      name: "GCP GKE Kubernetes cluster",
      resource_type: "kubernetes-cluster",
      description: "A cluster, by its name.",
      supports_instances: true,
      emoji: ":cyclone:",
    },
    {
      name: "GCP GAR container registry",
      resource_type: "docker-registry",
      description: "A repository of the artifact registry, by its address or resource name.",
      supports_instances: true,
      emoji: ":whale:",
    },
  ],
});

const azurePlace = {
  subscription_id: optional(uuid("Id of the subscription")),
  tenant_id: optional(uuid("Id of the tenant")),
  resource_group: optional(text("Name of the resource group")),
  storage_account: optional(text("Name of the storage account")),
};

export const azureType = connectorType({
  name: "Azure Service Connector",
  connector_type: "azure",
  description: "Microsoft Azure: blob containers, container registries, AKS clusters.",
  emoji: ":regional_indicator_a: ",
  supports_auto_configuration: true,
  auth_methods: [
    authMethod({
      name: "Azure Implicit Authentication",
      auth_method: "implicit",
      description: "The credentials of the place where the server runs. This server does not lend its own.",
      attributes: azurePlace,
    }),
    authMethod({
      name: "Azure Service Principal",
      auth_method: "service-principal",
      description: "The secret of a service principal, exchanged for temporary tokens.",
      attributes: {
        client_secret: secret("Secret of the service principal"),
        ...azurePlace,
        tenant_id: uuid("Id of the tenant"),
        client_id: uuid("Id of the service principal"),
      },
    }),
    authMethod({
      name: "Azure Access Token",
      auth_method: "access-token",
      description: "A temporary token that was made elsewhere, until it expires.",
      attributes: { token: secret("Token"), ...azurePlace },
      default_expiration_seconds: HOUR,
    }),
  ],
  resource_types: [
    {
      name: "Generic Azure resource",
      resource_type: "azure-generic",
      description: "Any service of Azure in the subscription, by credentials of its own library.",
      supports_instances: false,
      emoji: ":regional_indicator_a: ",
    },
    {
      name: "Azure Blob Storage Container",
      resource_type: "blob-container",
      description: "A container: az://name, abfs://name or its name.",
      supports_instances: true,
      emoji: ":package:",
    },
    {
      name: "AKS Kubernetes cluster",
      resource_type: "kubernetes-cluster",
      description: "A cluster: resource-group/name or its name.",
      supports_instances: true,
      emoji: ":cyclone:",
    },
    {
      name: "ACR container registry",
      resource_type: "docker-registry",
      description: "A registry: its address or its name.",
      supports_instances: true,
      emoji: ":whale:",
    },
  ],
});
