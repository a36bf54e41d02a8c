import type { FastifyInstance } from "fastify";
import { publicAccess } from "../../kernel/access.ts";
import { anonymous } from "../../kernel/caller.ts";
import { permissionDenied, PlinthError } from "../../kernel/errors.ts";
import { readCookie, setCookie, type Oidc } from "../../modules/identity/index.ts";
import { beginSession, type LoginIdentity } from "./login-routes.ts";
import { readNext } from "./next-path.ts";

export type Provider = Oidc;

const COOKIE = "plinth_sso";
const config = { access: publicAccess, protocol: "console" };
/** How long somebody may take at the provider, a second factor and a forgotten password included. */
const TICKET_SECONDS = 15 * 60;

/** OpenID Connect, the authorization code flow: a browser goes to the provider, and comes back with a code. */
export function registerSingleSignOn(
  app: FastifyInstance,
  { identity, provider }: { identity: LoginIdentity; provider: Provider },
): void {
  app.get("/plinth/sso", { config }, async (request, reply) => {
    const next = readNext((request.query as Record<string, unknown>)["next"]);
    // The provider sends people back to the public address: there the cookie must be, too.
    if (request.site !== provider.site) {
      return reply.redirect(`${provider.site}/plinth/sso?next=${encodeURIComponent(next)}`, 303);
    }
    const { url, ticket } = await provider.begin(next);
    reply.header(
      "set-cookie",
      setCookie(request, { name: COOKIE, value: ticket, maxAgeSeconds: TICKET_SECONDS }),
    );
    return reply.header("cache-control", "no-store").redirect(url, 303);
  });

  app.get("/plinth/sso/callback", { config }, async (request, reply) => {
    const ticket = readCookie(request, COOKIE);
    // Good for one answer, whatever comes of it.
    reply.header("set-cookie", setCookie(request, { name: COOKIE, value: "", maxAgeSeconds: 0 }));
    if (ticket === undefined) {
      throw permissionDenied(
        "This browser did not begin the login that it comes back from, or began it too long ago. Log in anew.",
      );
    }
    try {
      const { principal, isNew, next } = await provider.finish(new URL(request.url, provider.site), ticket);
      await beginSession(request, reply, { identity, principal, isNew, method: "oidc" });
      // What a cookie holds, others may have written.
      return await reply.header("cache-control", "no-store").redirect(readNext(next), 303);
    } catch (error) {
      if (error instanceof PlinthError && error.code === "permission_denied") {
        const details = { method: "oidc" };
        identity.audit.recordDenied(anonymous(request.ip), { action: "login", outcome: "failed", details });
      }
      throw error;
    }
  });
}
