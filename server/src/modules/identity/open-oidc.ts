import type { IdentityDeps } from "./deps.ts";
import type { OidcSettings } from "./oidc.ts";

/** The library behind it takes 20 ms and 7 MB, which only servers shall pay that have a provider. */
export async function openOidc(settings: OidcSettings | undefined): Promise<IdentityDeps["oidc"]> {
  if (settings === undefined) return undefined;
  const { createOidc } = await import("./oidc.ts");
  return (deps) => createOidc(deps, settings);
}
