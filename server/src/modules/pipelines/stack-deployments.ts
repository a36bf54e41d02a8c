import { readFile } from "node:fs/promises";
import { join } from "node:path";

const DATA = join(import.meta.dirname, "../../../data/zenml-stack-deployments.json");

export const deploymentProviders = ["aws", "gcp", "azure"] as const;
export type DeploymentProvider = (typeof deploymentProviders)[number];

/** What is known of deployments in a cloud. */
export type DeploymentFacts = {
  /** Of ZenML's client. */
  readonly integrations: readonly string[];
  /** Rights or roles, by what they are on. */
  readonly permissions: Readonly<Record<string, readonly string[]>>;
  /** Ids of regions by their names. */
  readonly locations: Readonly<Record<string, string>>;
  /** Regions for SkyPilot; null is all. */
  readonly skypilot_default_regions: readonly string[] | null;
};

let known: Promise<Readonly<Record<DeploymentProvider, DeploymentFacts>>> | undefined;

export async function readDeploymentFacts(provider: DeploymentProvider): Promise<DeploymentFacts> {
  known ??= readFile(DATA, "utf8").then(
    (text) => JSON.parse(text) as Record<DeploymentProvider, DeploymentFacts>,
  );
  return (await known)[provider];
}
