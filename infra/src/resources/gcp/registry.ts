import { ref, template } from "../resource.ts";
import { resourceBlock, type Block, type ModuleOutput } from "../terraform-module.ts";
import { because, type Scope } from "./scope.ts";

/** The repository of images. Nodes read it, nobody else is given anything. */
export const registryBlocks = ({ prefix, target, registryLocation }: Scope): Block[] => [
  resourceBlock(
    "google_artifact_registry_repository.images",
    {
      location: registryLocation,
      repository_id: prefix,
      description: `Images of ${prefix}`,
      format: "DOCKER",
      docker_config: { immutable_tags: true },
      cleanup_policies: [
        {
          id: "delete-untagged",
          action: "DELETE",
          condition: { tag_state: "UNTAGGED", older_than: "2592000s" },
        },
        { id: "keep-recent", action: "KEEP", most_recent_versions: { keep_count: 10 } },
      ],
      cleanup_policy_dry_run: false,
      vulnerability_scanning_config: { enablement_config: "INHERITED" },
    },
    {
      because: [
        because("tracking.image", "Images of your own have a place beside the cluster."),
        because(
          "target.backupRegion",
          registryLocation === target.region
            ? "Without a second region that shares a multi-region, images are in the region."
            : "With a second region, images are in the multi-region that holds both.",
        ),
      ],
      comment: "Images. What lost its tag goes after 30 days; the newest ten stay in any case.",
      notes: { "docker_config.immutable_tags": "A tag that was deployed stays what it was." },
    },
  ),
  resourceBlock(
    "google_artifact_registry_repository_iam_member.nodes",
    {
      location: ref("google_artifact_registry_repository.images.location"),
      repository: ref("google_artifact_registry_repository.images.name"),
      role: "roles/artifactregistry.reader",
      member: template`serviceAccount:${ref("var.node_service_account")}`,
    },
    { because: [because("target.cluster", "Nodes fetch images.")] },
  ),
];

/** `europe-docker.pkg.dev/acme-mlops/acme-prod`: what stands before the name of an image. */
export const registryAddress = ({ prefix, target, registryLocation }: Scope): string =>
  `${registryLocation}-docker.pkg.dev/${target.project}/${prefix}`;

export const registryOutputs = (scope: Scope): ModuleOutput[] => [
  {
    name: "registry",
    description: "What stands before the name of an image",
    value: registryAddress(scope),
    after: [ref("google_artifact_registry_repository.images")],
  },
];
