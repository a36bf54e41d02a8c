import type { SpecRule } from "./check.ts";
import { gcpClusterRules } from "./gcp-cluster.ts";
import { gcpNetworkRules } from "./gcp-network.ts";
import { gcpStateRules } from "./gcp-state.ts";

/** Rules over environments on Google Cloud, and over what is only there. */
export const gcpRules: readonly SpecRule[] = [...gcpClusterRules, ...gcpNetworkRules, ...gcpStateRules];
