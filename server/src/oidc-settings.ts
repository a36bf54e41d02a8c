import { createOutbound } from "./kernel/outbound/outbound.ts";
import type { OidcSettings } from "./modules/identity/index.ts";
import type { Config } from "./settings.ts";
import { readGroupRole } from "./site-settings.ts";
import { PLINTH_VERSION } from "./version.ts";

/** The provider of logins that is configured, asked through the guarded client; undefined without one. */
export function oidcSettings(config: Config): OidcSettings | undefined {
  const { oidcIssuer: issuer, oidcClientId: clientId, publicUrl: site } = config;
  if (issuer === undefined || clientId === undefined || site === undefined) return undefined;
  // Whoever set up the provider said with it that it may be asked: it mostly is in the same private network.
  const host = new URL(issuer).hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    issuer,
    clientId,
    clientSecret: config.oidcClientSecret,
    scopes: config.oidcScopes,
    claims: { name: config.oidcNameClaim, groups: config.oidcGroupsClaim },
    groupRoles: config.oidcGroupRoles.map(readGroupRole),
    site,
    outbound: createOutbound({
      allowed: [...config.outboundAllowedHosts, host],
      userAgent: `Plinth/${PLINTH_VERSION}`,
    }),
  };
}
