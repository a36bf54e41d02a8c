import { isIP, isIPv4 } from "node:net";
import { text, type Setting } from "./setting-kinds.ts";

/** How browsers and proxies reach the server, and who tells it who people are: settings of `config.ts`. */
export const siteSettings = {
  publicUrl: {
    flag: "public-url",
    description:
      "Address that people know this server by, such as https://plinth.example.org; its host need not be in --allowed-hosts",
    placeholder: "url",
    defaultText: "none",
    default: () => undefined,
    parse: parsePublicUrl,
  } satisfies Setting<string | undefined>,
  trustedProxies: {
    flag: "trusted-proxies",
    description:
      "Addresses and networks of proxies whose X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto are believed, separated by commas",
    placeholder: "addresses",
    defaultText: "none",
    default: () => [],
    parse: (value) => {
      const entries = value.split(",").map((entry) => entry.trim());
      if (entries.every(isNetwork)) return entries;
      throw new Error("must be addresses (10.1.2.3) or networks (10.0.0.0/8), separated by commas");
    },
  } satisfies Setting<string[]>,
  corsOrigins: {
    flag: "cors-origins",
    description:
      "Other origins whose pages may use this server with credentials of their own, such as https://app.example.org, separated by commas; cookies are never taken from there",
    placeholder: "origins",
    defaultText: "none",
    default: () => [],
    parse: (value) => {
      const origins = value.split(",").map((entry) => entry.trim());
      if (origins.every(isOrigin)) return origins;
      throw new Error("must be origins such as https://app.example.org, separated by commas; * is none");
    },
  } satisfies Setting<string[]>,
  oidcIssuer: {
    flag: "oidc-issuer",
    description: "OpenID Connect provider that people can log in with: the address of its issuer",
    placeholder: "url",
    defaultText: "none",
    default: () => undefined,
    parse: parseIssuer,
  } satisfies Setting<string | undefined>,
  oidcClientId: text({
    flag: "oidc-client-id",
    description: "Name of Plinth at the provider of --oidc-issuer",
    placeholder: "id",
  }),
  oidcClientSecret: text({
    flag: "oidc-client-secret",
    description: "Secret of --oidc-client-id; public clients have none",
    placeholder: "secret",
    secret: true,
  }),
  oidcScopes: {
    flag: "oidc-scopes",
    description: "What is asked of the provider, separated by blanks; some need one more for groups",
    placeholder: "scopes",
    default: () => "openid profile email",
    parse: (value) => {
      const scopes = value.split(/\s+/).filter((scope) => scope !== "");
      if (scopes.includes("openid")) return scopes.join(" ");
      throw new Error("must hold openid, such as 'openid profile email groups'");
    },
  } satisfies Setting<string>,
  oidcNameClaim: {
    flag: "oidc-name-claim",
    description:
      "Claim with the name of a new user; without it the verified e-mail address, else the subject",
    placeholder: "claim",
    default: () => "preferred_username",
    parse: parseClaim,
  } satisfies Setting<string>,
  oidcGroupsClaim: {
    flag: "oidc-groups-claim",
    description: "Claim with the groups of a user; dots lead into it, such as realm_access.roles",
    placeholder: "claim",
    default: () => "groups",
    parse: parseClaim,
  } satisfies Setting<string>,
  oidcGroupRoles: {
    flag: "oidc-group-roles",
    description:
      "What groups of the provider are here, separated by commas: group=workspace:role, or group=admin for administrators of the platform",
    placeholder: "mapping",
    defaultText: "none",
    default: () => [],
    parse: (value) => {
      const entries = value.split(",").map((entry) => entry.trim());
      for (const entry of entries) readGroupRole(entry);
      return entries;
    },
  } satisfies Setting<string[]>,
};

export type GroupRole = { group: string } & ({ admin: true } | { workspace: string; role: string });

/** `ml-team=research:editor` or `ops=admin`; groups may hold `=`, as names of directories do. */
export function readGroupRole(entry: string): GroupRole {
  const end = entry.lastIndexOf("=");
  const group = entry.slice(0, Math.max(0, end)).trim();
  const [workspace = "", role, ...more] = entry
    .slice(end + 1)
    .trim()
    .split(":");
  if (group !== "" && role === undefined && workspace === "admin") return { group, admin: true };
  if (group !== "" && workspace !== "" && role !== undefined && role !== "" && more.length === 0) {
    return { group, workspace, role };
  }
  throw new Error(
    `must be entries such as ml-team=research:editor or ops=admin, separated by commas; '${entry}' is none`,
  );
}

function parsePublicUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href) return url.origin;
  throw new Error("must be an address without a path, such as https://plinth.example.org");
}

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

function parseIssuer(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const plain = url?.search === "" && url.hash === "" && url.username === "" && url.password === "";
  if (plain && url.protocol === "https:") return value;
  // Whoever is between could be anybody: http is for a provider on this machine.
  if (plain && url.protocol === "http:" && LOOPBACK.test(url.hostname)) return value;
  throw new Error("must be an https:// address, as the provider writes its issuer");
}

function parseClaim(value: string): string {
  if (/^[^\s,]+$/.test(value)) return value;
  throw new Error("must be the name of a claim");
}

function isNetwork(entry: string): boolean {
  const [address = "", length, ...more] = entry.split("/");
  if (isIP(address) === 0 || more.length > 0) return false;
  // A network of everybody would let everybody say where they come from.
  return length === undefined || (/^[1-9]\d{0,2}$/.test(length) && Number(length) <= bitsOf(address));
}

const bitsOf = (address: string): number => (isIPv4(address) ? 32 : 128);

const isOrigin = (entry: string): boolean =>
  URL.canParse(entry) && /^https?:\/\/[^*]+$/.test(entry) && new URL(entry).origin === entry;

type SiteConfig = {
  publicUrl: string | undefined;
  oidcIssuer: string | undefined;
  oidcClientId: string | undefined;
  oidcClientSecret: string | undefined;
  oidcGroupRoles: readonly string[];
};

/** What is wrong with these settings together; undefined: nothing. */
export function contradictionOfSites(config: SiteConfig): string | undefined {
  if (config.oidcIssuer === undefined) {
    const given = [config.oidcClientId, config.oidcClientSecret, config.oidcGroupRoles[0]];
    const flags = ["--oidc-client-id", "--oidc-client-secret", "--oidc-group-roles"];
    const useless = flags.find((_flag, index) => given[index] !== undefined);
    return useless === undefined ? undefined : `${useless} has no effect without --oidc-issuer.`;
  }
  if (config.oidcClientId === undefined) {
    return "--oidc-issuer needs --oidc-client-id: the name under which the provider knows this server.";
  }
  if (config.publicUrl === undefined) {
    return "--oidc-issuer needs --public-url: the provider sends people back to that address.";
  }
  return undefined;
}
