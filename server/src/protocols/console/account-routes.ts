import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { loginAccess } from "../../kernel/access.ts";
import type { Principal } from "../../kernel/caller.ts";
import { invalidParameter, notFound } from "../../kernel/errors.ts";
import {
  setSessionCookie,
  type Identity,
  type NewApiKey,
  type ShownKey,
} from "../../modules/identity/index.ts";
import { accountPage } from "./account-page.ts";
import { formToken, readForm, type Form, type Note } from "./form.ts";
import { beside, attempt, personOf } from "./page-requests.ts";
import { sendPage } from "./page.ts";

export type AccountIdentity = Pick<Identity, "principals" | "sessions" | "apiKeys" | "devices">;

const ACCOUNT = "/plinth/account";
const config = { access: loginAccess, protocol: "console" };
const DAY_MS = 24 * 60 * 60 * 1000;

/** What was done, said on the page that follows. */
const done: Readonly<Record<string, string>> = {
  password: "The password is changed. All other browsers and devices are logged out.",
  key: "The key is deleted, and refused from now on.",
  session: "The session has ended.",
  device: "The device is logged out.",
};

type Handle = (form: Form, person: Principal, reply: FastifyReply) => Promise<ShownKey | string>;

/** One's own account. What a form does is done to whoever sends it, whatever it names. */
export function registerAccount(app: FastifyInstance, identity: AccountIdentity): void {
  const show = async (
    request: FastifyRequest,
    reply: FastifyReply,
    shown: { note?: Note; newKey?: ShownKey } = {},
  ): Promise<FastifyReply> => {
    const { principalId } = personOf(request);
    const [principal, sessions, keys, devices] = await Promise.all([
      identity.principals.getPrincipal({ principalId }),
      identity.sessions.listSessions(principalId),
      identity.apiKeys.listApiKeys({ principalId }),
      identity.devices.listDevices(principalId),
    ]);
    const { credential } = request.caller;
    return sendPage(
      reply,
      accountPage({
        token: formToken(request, reply),
        beside: beside(request, reply, request.caller),
        note: shown.note,
        newKey: shown.newKey,
        principal,
        sessions,
        currentSession: credential.kind === "session" ? credential.id : undefined,
        keys,
        devices,
      }),
    );
  };

  app.get(ACCOUNT, { config }, (request, reply) => {
    const said = done[String((request.query as Record<string, unknown>)["done"])];
    return show(request, reply, said === undefined ? {} : { note: { kind: "good", text: said } });
  });

  const handle = (path: string, work: Handle): void => {
    app.post(`${ACCOUNT}/${path}`, { config }, async (request, reply) => {
      const form = readForm(request);
      const person = personOf(request);
      const tried = await attempt(reply, () => work(form, person, reply));
      if ("note" in tried) return show(request, reply, tried);
      if (typeof tried.done !== "string") return show(request, reply, { newKey: tried.done });
      return reply.redirect(`${ACCOUNT}?done=${tried.done}`, 303);
    });
  };

  handle("password", async (form, { principalId }, reply) => {
    const password = form.text("password");
    if (password !== form.text("repeated")) throw invalidParameter("The two new passwords differ.");
    const current = form.text("current");
    const principal = await identity.principals.setPassword({ principalId }, password, { current });
    const { request } = reply;
    const session = await identity.sessions.createSession(principal, {
      method: "password",
      address: request.ip,
      userAgent: request.headers["user-agent"],
    });
    reply.header("set-cookie", setSessionCookie(request, session.cookie));
    return "password";
  });

  handle("sessions/end", async (form, { principalId }) => {
    const id = form.text("session_id");
    const own = await identity.sessions.listSessions(principalId);
    if (!own.some((session) => session.session_id === id)) throw notFound("There is no such session.");
    await identity.sessions.deleteSession(id);
    return "session";
  });

  handle("keys", (form, { principalId }) => identity.apiKeys.createApiKey({ principalId }, readKey(form)));

  handle("keys/delete", async (form, { principalId }) => {
    await identity.apiKeys.deleteApiKey({ principalId }, { keyId: form.text("key_id") });
    return "key";
  });

  handle("devices/delete", async (form, { principalId }) => {
    const id = form.text("device_id");
    const own = await identity.devices.listDevices(principalId);
    if (!own.some((device) => device.device_id === id)) throw notFound("There is no such device.");
    await identity.devices.deleteDevice(id);
    return "device";
  });
}

function readKey(form: Form): NewApiKey {
  const days = form.text("days");
  if (!/^\d{0,4}$/.test(days)) throw invalidParameter("Say in how many days the key expires.");
  const maxPermission = form.text("max_permission");
  if (!isPermission(maxPermission)) throw invalidParameter(`A key is not limited to '${maxPermission}'.`);
  const workspaces = form
    .text("workspaces")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return {
    name: form.text("name"),
    ...(maxPermission === "" ? {} : { maxPermission }),
    ...(workspaces.length === 0 ? {} : { workspaces }),
    ...(days === "" ? {} : { expiresAt: Date.now() + Number(days) * DAY_MS }),
  };
}

const isPermission = (text: string): text is "READ" | "USE" | "EDIT" | "" =>
  ["READ", "USE", "EDIT", ""].includes(text);
