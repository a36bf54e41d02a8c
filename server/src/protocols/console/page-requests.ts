import type { FastifyReply, FastifyRequest } from "fastify";
import { anonymous, type Caller, type Principal } from "../../kernel/caller.ts";
import { permissionDenied, PlinthError } from "../../kernel/errors.ts";
import { isNavigation } from "../../kernel/navigation.ts";
import type { Identity } from "../../modules/identity/index.ts";
import { formToken, type Note } from "./form.ts";
import { whoIsHere } from "./login-page.ts";
import { loginPath, readNext } from "./next-path.ts";
import { statuses } from "./errors.ts";

/** Who opens a page that anybody may open. */
export async function callerOf(
  request: FastifyRequest,
  identity: Pick<Identity, "authenticate">,
): Promise<Caller> {
  try {
    return await identity.authenticate(request);
  } catch (error) {
    if (error instanceof PlinthError && error.code === "unauthenticated") return anonymous(request.ip);
    throw error;
  }
}

/** Who is here and the way out, as it stands beside the heading. */
export function beside(
  request: FastifyRequest,
  reply: FastifyReply,
  { principal, credential }: Caller,
): string {
  return principal === undefined || credential.kind !== "session"
    ? ""
    : whoIsHere(principal.name, formToken(request, reply));
}

/** Somebody who opened an address that asks for a login, and who comes back to it afterwards. */
export function sendToLogin(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // It was: the answer is no.
  request.decided = true;
  return reply
    .header("cache-control", "no-store")
    .header("vary", "accept, sec-fetch-mode, cookie")
    .redirect(loginPath(readNext(request.url)), 303);
}

export const wantsLogin = (request: FastifyRequest): boolean =>
  isNavigation(request) && request.headers.authorization === undefined;

/** A person of this server: neither a program nor a key that may do less than its owner. */
export function personOf({ caller }: FastifyRequest): Principal {
  const { principal, credential } = caller;
  if (credential.kind === "local") {
    throw permissionDenied(
      "Nobody has to log in here, so there is no account to look at: users begin with `plinth user create`.",
    );
  }
  if (principal?.kind !== "user" || (credential.kind !== "session" && credential.kind !== "password")) {
    throw permissionDenied("This page is for people who are logged in with their browser.");
  }
  return principal;
}

/** Does what a form asks for; what is wrong with it is shown beside it. */
export async function attempt<T>(
  reply: FastifyReply,
  work: () => Promise<T>,
): Promise<{ done: T } | { note: Note }> {
  try {
    return { done: await work() };
  } catch (error) {
    if (!(error instanceof PlinthError) || statuses[error.code] >= 500) throw error;
    reply.code(statuses[error.code]);
    if (error.retryAfterSeconds !== undefined) reply.header("retry-after", String(error.retryAfterSeconds));
    return { note: { kind: "bad", text: error.message } };
  }
}
