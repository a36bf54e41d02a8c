import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { publicAccess } from "../../kernel/access.ts";
import { anonymous } from "../../kernel/caller.ts";
import {
  clearSessionCookie,
  readSessionCookie,
  setSessionCookie,
  toPrincipal,
  type Identity,
  type PrincipalRow,
} from "../../modules/identity/index.ts";
import { formToken, forgetFormToken, readForm, type Note } from "./form.ts";
import { activationPage, donePage, loginPage, type SingleSignOn } from "./login-page.ts";
import { HOME, loginPath, readNext } from "./next-path.ts";
import { sendPage } from "./page.ts";
import { attempt, callerOf } from "./page-requests.ts";

export type LoginIdentity = Pick<Identity, "authenticate" | "principals" | "sessions" | "audit">;

export type LoginOptions = {
  identity: LoginIdentity;
  /** Undefined: people have a password of this server, or none. */
  singleSignOn: ((next: string) => SingleSignOn) | undefined;
  /** Where a browser goes that ends a session which began at the provider. */
  logoutUrl: (() => Promise<string | undefined>) | undefined;
};

const config = { access: publicAccess, protocol: "console" };
const WRONG = "The user name or the password is wrong.";

/** The way in and out, for people with a browser. */
export function registerLogin(app: FastifyInstance, options: LoginOptions): void {
  const { identity } = options;

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
        singleSignOn: options.singleSignOn?.(nextOf(request)),
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
    const ended = await endSession(request, identity);
    reply.header("set-cookie", clearSessionCookie(request));
    forgetFormToken(request, reply);
    const elsewhere = ended?.method === "oidc" ? await options.logoutUrl?.() : undefined;
    if (elsewhere === undefined) return reply.redirect("/plinth/logged-out", 303);
    // A redirect from a form to another site is what our policy forbids.
    const page = donePage("Logging out", "Your login at the provider ends, too.", {
      url: elsewhere,
      label: "Go on",
    });
    return sendPage(reply, { ...page, goOnTo: elsewhere });
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

const textOf = (value: unknown): string => (typeof value === "string" ? value.slice(0, 255) : "");

const nextOf = (request: FastifyRequest): string =>
  readNext((request.query as Record<string, unknown>)["next"]);

/** A session of its own for each login: one that the browser brought along ends. */
export async function beginSession(
  request: FastifyRequest,
  reply: FastifyReply,
  login: { identity: LoginIdentity; principal: PrincipalRow; method: "password" | "oidc" },
): Promise<void> {
  const { identity, principal, method } = login;
  await endSession(request, identity);
  const { sessionId, cookie } = await identity.sessions.createSession(principal, {
    method,
    address: request.ip,
    userAgent: request.headers["user-agent"],
  });
  const credential = { kind: "session", id: sessionId } as const;
  await identity.audit.record(
    { principal: toPrincipal(principal), credential, address: request.ip },
    { action: "login", outcome: "allowed", details: { method } },
  );
  reply.header("set-cookie", setSessionCookie(request, cookie));
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
