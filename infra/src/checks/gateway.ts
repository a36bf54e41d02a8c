import type { SpecRule } from "./check.ts";

/** Rules on the way in. */

const stagingCertificates: SpecRule = {
  id: "gateway/staging-certificates-in-production",
  severity: "warning",
  covers: [],
  title: "Certificates for trying out in production",
  why: "No browser and no client trusts what Let's Encrypt's staging environment issues.",
  check: ({ tier, gateway }) =>
    tier !== "production" || gateway.issuer === "production"
      ? []
      : [
          {
            path: ["gateway", "issuer"],
            message: "gateway.issuer is staging in production: clients refuse the certificates",
            remedy: 'Set gateway.issuer: "production", or leave it out.',
          },
        ],
};

export const gatewayRules: readonly SpecRule[] = [stagingCertificates];
