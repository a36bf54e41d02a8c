/** Where a login leads when nobody wants anything else: MLflow's web UI, or Plinth's page. */
export const HOME = "/";

/** Printable ASCII without backslashes, which browsers take for slashes: everything else stands percent-encoded. */
const PATH = /^\/(?!\/)[!-[\]-~]*$/;
const MAX_LENGTH = 2000;
/** Coming back from a login to these would be no way out. */
const OWN = /^\/plinth\/(?:login|logout|sso)(?:[/?#]|$)/;

/** The path to go on to after a login: one of this server, whatever was asked for. */
export function readNext(given: unknown): string {
  if (typeof given !== "string" || given.length > MAX_LENGTH || !PATH.test(given) || OWN.test(given))
    return HOME;
  // `/.//host` is a path, and becomes `//host` where somebody takes the dots away.
  return new URL(given, "http://server.invalid").pathname.startsWith("//") ? HOME : given;
}

export const loginPath = (next: string): string =>
  next === HOME ? "/plinth/login" : `/plinth/login?next=${encodeURIComponent(next)}`;
