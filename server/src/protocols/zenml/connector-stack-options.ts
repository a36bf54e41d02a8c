import { invalidParameter } from "../../kernel/errors.ts";
import type { ConnectorResources } from "../../modules/pipelines/index.ts";

/** Components that use a connector already. */
export type UsedComponents = readonly { type: string; flavor_name: string; view: object }[];

type Option = {
  readonly component: "artifact_store" | "orchestrator" | "container_registry";
  readonly flavor: string;
  readonly title: string;
  /** What must be said besides, with what people call it. */
  readonly needs: Readonly<Record<string, string>>;
  /** Whether the id of the resource is what is needed. */
  readonly takesId?: true;
};

const kubernetes: Option = {
  component: "orchestrator",
  flavor: "kubernetes",
  title: "Kubernetes",
  needs: {},
};
const store = (flavor: string, title: string): Option => ({
  component: "artifact_store",
  flavor,
  title,
  needs: { path: "Path" },
  takesId: true,
});
const registry = (flavor: string, title: string): Option => ({
  component: "container_registry",
  flavor,
  title,
  needs: { uri: "URI" },
  takesId: true,
});
const orchestrator = (flavor: string, title: string, needs: Option["needs"]): Option => ({
  component: "orchestrator",
  flavor,
  title,
  needs,
});

/** Which flavors can be made of what a connector reaches. */
const options: Readonly<Record<string, Readonly<Record<string, readonly Option[]>>>> = {
  aws: {
    "s3-bucket": [store("s3", "S3 Bucket")],
    "aws-generic": [
      orchestrator("sagemaker", "AWS Sagemaker", { execution_role: "execution role ARN" }),
      { ...orchestrator("vm_aws", "Skypilot (EC2)", { region: "region" }), takesId: true },
    ],
    "kubernetes-cluster": [kubernetes],
    "docker-registry": [registry("aws", "ECR")],
  },
  gcp: {
    "gcs-bucket": [store("gcp", "GCS Bucket")],
    "gcp-generic": [
      orchestrator("vertex", "Vertex AI", { location: "region name" }),
      orchestrator("vm_gcp", "Skypilot (Compute)", { region: "region name" }),
    ],
    "kubernetes-cluster": [kubernetes],
    "docker-registry": [registry("gcp", "GCR")],
  },
  azure: {
    "blob-container": [store("azure", "Blob container")],
    "azure-generic": [
      orchestrator("vm_azure", "Skypilot (VM)", { region: "region name" }),
      orchestrator("azureml", "AzureML", {
        subscription_id: "subscription ID",
        resource_group: "resource group",
        workspace: "workspace",
      }),
    ],
    "kubernetes-cluster": [kubernetes],
    "docker-registry": [registry("azure", "ACR")],
  },
};

const names = {
  artifact_store: "storage bucket",
  orchestrator: "orchestrator",
  container_registry: "container registry",
};

/** What a whole stack could be made of with one connector. Throws `invalid_parameter` where a cloud lacks a part. */
export function stackOptions(found: ConnectorResources, used: UsedComponents): object {
  const kind = found.connector_type.connector_type;
  const ofKind = options[kind] ?? {};
  const parts: Record<Option["component"], object[]> = {
    artifact_store: [],
    orchestrator: [],
    container_registry: [],
  };
  for (const { resource_type: type, resource_ids: ids } of found.resources) {
    for (const option of ids === null ? [] : (ofKind[type] ?? [])) {
      parts[option.component].push({
        flavor: option.flavor,
        flavor_display_name: option.title,
        required_configuration: option.needs,
        use_resource_value_as_fixed_config: option.takesId ?? false,
        accessible_by_service_connector: ids,
        connected_through_service_connector: used
          .filter((one) => one.type === option.component && one.flavor_name === option.flavor)
          .map((one) => one.view),
      });
    }
  }
  for (const component of Object.keys(parts) as Option["component"][]) {
    if (options[kind] === undefined || parts[component].length > 0) continue;
    const errors = [...new Set(found.resources.flatMap((one) => one.error ?? []))];
    throw invalidParameter(
      `The service connector reaches no ${names[component]}: verify its credentials and what they may do. ` +
        errors.join(" "),
    );
  }
  return { connector_type: kind, components_resources_info: parts };
}
