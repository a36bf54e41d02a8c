import type { SpecRule } from "./check.ts";
import { gatewayRules } from "./gateway.ts";
import { gitOpsRules } from "./gitops.ts";
import { monitoringRules } from "./monitoring.ts";
import { namespaceRules } from "./namespaces.ts";
import { policyRules } from "./policies.ts";
import { secretStoreRules } from "./secret-store.ts";

/** Rules over the platform around the components. */
export const platformRules: readonly SpecRule[] = [
  ...gatewayRules,
  ...gitOpsRules,
  ...monitoringRules,
  ...namespaceRules,
  ...policyRules,
  ...secretStoreRules,
];
