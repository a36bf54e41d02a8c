/** Versions of everything the output names. Each is one that the schemas in `data/` describe. */

/** Write-only arguments and ephemeral values came with Terraform 1.11. */
export const terraformVersion = ">= 1.11.0";

/** Terraform providers by their local name. `~>` lets patch releases in; the lock file holds the one that is used. */
export const terraformProviders = {
  civo: { source: "civo/civo", version: "~> 1.2.6" },
  google: { source: "hashicorp/google", version: "~> 7.45.0" },
  helm: { source: "hashicorp/helm", version: "~> 3.1.2" },
  kubectl: { source: "alekc/kubectl", version: "~> 2.4.1" },
  kubernetes: { source: "hashicorp/kubernetes", version: "~> 3.2.1" },
  random: { source: "hashicorp/random", version: "~> 3.9.0" },
  zenml: { source: "zenml-io/zenml", version: "~> 3.0.6" },
} as const;
export type ProviderName = keyof typeof terraformProviders;
