import { compilePolicy, type Grant, type Policy, type PolicyOptions } from "./policy.ts";

/** A grant as it is told in one breath: `experiment 7 READ`. */
export function grant(text: string): Grant {
  const [resource_type, pattern, permission] = text.split(" ");
  return { resource_type, pattern, permission } as Grant;
}

/** Of somebody who does not administer the platform, by a credential without a limit. */
export const plain: PolicyOptions = { isPlatformAdmin: false, ceiling: undefined };

export const policyWith = (...grants: string[]): Policy => compilePolicy(grants.map(grant), plain);
