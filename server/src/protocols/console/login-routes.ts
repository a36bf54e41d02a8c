import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { publicAccess } from "../../kernel/access.ts";
import { anonymous } from "../../kernel/caller.ts";
import { unauthenticated } from "../../kernel/errors.ts";
import { isNavigation } from "../../kernel/navigation.ts";
import {
  clearMlflowMark,
  clearSessionCookie,
  readSessionCookie,
  hasMlflowMark,
  setMlflowMark,
  setSessionCookie,
  toPrincipal,
  type Identity,
  type Oidc,
  type PrincipalRow,
} from "../../modules/identity/index.ts";
import { formToken, forgetFormToken, readForm, type Note } from "./form.ts";
import { activationPage, donePage, loginPage } from "./login-page.ts";
import { HOME, loginPath, readNext } from "./next-path.ts";
import { sendPage } from "./page.ts";
import { attempt, callerOf } from "./page-requests.ts";

export type LoginIdentity = Pick<Identity, "authenticate" | "principals" | "sessions" | "audit">;

export type LoginOptions = {
  identity: LoginIdentity;
  /** Undefined: people have a password of this server, or none. */
  provider: Pick<Oidc, "label" | "logoutUrl"> | undefined;
};

const config = { access: publicAccess, protocol: "console" };
const WRONG = "The user name or the password is wrong.";

/** The way in and out, for people with a browser. */
export function registerLogin(app: FastifyInstance, options: LoginOptions): void {
  const { identity, provider } = options;

  const show = (
    request: FastifyRequest,
    reply: FastifyReply,
    shown: { name?: string; note?: Note } = {},
  ): FastifyReply =>
    sendPage(
      reply,
      loginPage({
        token: formToken(request, reply),
        name: shown.name ?? "",
        note: shown.note,
        singleSignOn:
          provider === undefined
            ? undefined
            : { label: provider.label, path: `/plinth/sso?next=${encodeURIComponent(nextOf(request))}` },
      }),
    );

  app.get("/plinth/login", { config }, async (request, reply) => {
    const { credential } = await callerOf(request, identity);
    if (credential.kind === "session") return reply.redirect(nextOf(request), 303);
    return show(request, reply);
  });

  app.post("/plinth/login", { config }, async (request, reply) => {
    const form = readForm(request);
    const name = form.text("username");
    const password = form.text("password");
    const from = { address: request.ip };
    const tried = await attempt(reply, () => identity.principals.checkPassword(name, password, from));
    if ("note" in tried) return show(request, reply, { name, note: tried.note });
    if (tried.done === undefined) {
      const details = { name: name.slice(0, 255), page: true };
      identity.audit.recordDenied(anonymous(request.ip), { action: "login", outcome: "failed", details });
      return show(request, reply.code(401), { name, note: { kind: "bad", text: WRONG } });
    }
    await beginSession(request, reply, { identity, principal: tried.done, method: "password" });
    return reply.redirect(nextOf(request), 303);
  });

  app.post("/plinth/logout", { config }, async (request, reply) => {
    readForm(request);
    return leave(request, reply, options);
  });

  app.get("/plinth/logged-out", { config }, (_request, reply) =>
    sendPage(
      reply,
      donePage("Logged out", "This browser is not logged in any more.", {
        url: loginPath(HOME),
        label: "Log in again",
      }),
    ),
  );

  app.get("/plinth/activate", { config }, (request, reply) => {
    const { user, token } = request.query as Record<string, unknown>;
    const shown = { user: textOf(user), activation: textOf(token), note: undefined };
    return sendPage(reply, activationPage({ ...shown, token: formToken(request, reply) }));
  });

  app.post("/plinth/activate", { config }, async (request, reply) => {
    const form = readForm(request);
    const user = form.text("username");
    const password = form.text("password");
    const given = { user, activation: form.text("token"), token: formToken(request, reply) };
    if (password !== form.text("repeated")) {
      const note: Note = { kind: "bad", text: "The two passwords differ." };
      return sendPage(reply.code(400), activationPage({ ...given, note }));
    }
    const tried = await attempt(reply, () =>
      identity.principals.activate({ name: user }, { token: given.activation.trim(), password }),
    );
    if ("note" in tried) return sendPage(reply, activationPage({ ...given, note: tried.note }));
    await beginSession(request, reply, { identity, principal: tried.done, method: "password" });
    return reply.redirect(HOME, 303);
  });
}

async function leave(
  request: FastifyRequest,
  reply: FastifyReply,
  { identity, provider }: LoginOptions,
): Promise<FastifyReply> {
  const caller = await callerOf(request, identity);
  const ended = await endSession(request, identity);
  if (ended !== undefined) await identity.audit.record(caller, { action: "logout", outcome: "allowed" });
  reply.header("set-cookie", [clearSessionCookie(request), clearMlflowMark()]);
  forgetFormToken(request, reply);
  const elsewhere = ended?.method === "oidc" ? await provider?.logoutUrl() : undefined;
  if (elsewhere === undefined) {
    return reply.header("cache-control", "no-store").redirect("/plinth/logged-out", 303);
  }
  // A redirect from a form to another site is what our policy forbids.
  const page = donePage("Logging out", "Your login at the provider ends, too.", {
    url: elsewhere,
    label: "Go on",
  });
  return sendPage(reply, { ...page, goOnTo: elsewhere });
}

/**
 * For the page of MLflow's web UI, whose own requests need a login. Throws `unauthenticated` for those who have none;
 * true once it has answered itself, to somebody who logged out with the UI's button.
 */
export async function receiveVisitor(
  request: FastifyRequest,
  reply: FastifyReply,
  options: LoginOptions,
): Promise<boolean> {
  const { principal, credential } = await callerOf(request, options.identity);
  if (principal === undefined) throw unauthenticated();
  if (credential.kind !== "session" || hasMlflowMark(request) || !isNavigation(request)) return false;
  await leave(request, reply, options);
  return true;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value.slice(0, 255) : "");

const nextOf = (request: FastifyRequest): string =>
  readNext((request.query as Record<string, unknown>)["next"]);

/** A session of its own for each login: one that the browser brought along ends. */
export async function beginSession(
  request: FastifyRequest,
  reply: FastifyReply,
  login: {
    identity: LoginIdentity;
    principal: PrincipalRow;
    method: "password" | "oidc";
    /** The provider has sent somebody who was not here before. */
    isNew?: boolean;
  },
): Promise<void> {
  const { identity, principal, method, isNew = false } = login;
  await endSession(request, identity);
  const { sessionId, cookie } = await identity.sessions.createSession(principal, {
    method,
    address: request.ip,
    userAgent: request.headers["user-agent"],
  });
  const credential = { kind: "session", id: sessionId } as const;
  await identity.audit.record(
    { principal: toPrincipal(principal), credential, address: request.ip },
    { action: "login", outcome: "allowed", details: { method, ...(isNew ? { new_user: true } : {}) } },
  );
  reply.header("set-cookie", setSessionCookie(request, cookie));
  reply.header("set-cookie", setMlflowMark(request, principal.name));
  forgetFormToken(request, reply);
}

async function endSession(
  request: FastifyRequest,
  { sessions }: LoginIdentity,
): Promise<{ method: "password" | "oidc" } | undefined> {
  const cookie = readSessionCookie(request);
  const session = cookie === undefined ? undefined : await sessions.readSession(cookie);
  if (session !== undefined) await sessions.deleteSession(session.session_id);
  return session;
}
