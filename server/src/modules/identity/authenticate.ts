import { hash, timingSafeEqual } from "node:crypto";
import { outlastsCredential, type Access } from "../../kernel/access.ts";
import { anonymous, type Caller, type Credential, type Principal } from "../../kernel/caller.ts";
import { permissionDenied, unauthenticated, type PlinthError } from "../../kernel/errors.ts";
import { hashSecret, readKey, type ApiKeyText } from "./api-key-text.ts";
import { readAuthorization } from "./authorization.ts";
import type { Audit } from "./audit.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { limitOf, selectApiKeyCredential } from "./credentials.sql.ts";
import type { IdentityDeps } from "./deps.ts";
import type { CredentialSource } from "./identity.ts";
import type { KeyUses } from "./key-uses.ts";
import { localPrincipal } from "./local-principal.ts";
import { createPrincipalCache } from "./principal-cache.ts";
import { normalizeName } from "./principal-names.ts";
import { toPrincipal, type Principals } from "./principals.ts";
import { readSessionCookie, refuseForgery } from "./session-cookie.ts";
import { REMEMBER_SESSION_MS, type Sessions } from "./sessions.ts";
import type { Tokens } from "./tokens.ts";

export type AuthenticateDeps = Pick<IdentityDeps, "database" | "now" | "loginRequired"> & {
  feed: ChangeFeed;
  principals: Pick<Principals, "checkPassword" | "findPrincipal">;
  sessions: Pick<Sessions, "readSession">;
  tokens: Pick<Tokens, "resolveToken">;
  uses: KeyUses;
  audit: Pick<Audit, "record" | "recordDenied">;
};

/** What a credential proved, and until when it may be remembered. */
type Proof = { principal: Principal; credential: Credential; until: number };

type Known = Proof & {
  /** As of the last request: callers mostly come from one address, and nothing is made anew for them. */
  caller: Caller;
  /** The minute in which the use of a key was noted last. */
  minute: number;
};

/** Some 300 bytes each. */
const MAX_REMEMBERED = 2 ** 18;
/** Names that stand for none, where an API key is the password. */
const NAMELESS: ReadonlySet<string> = new Set(["", "token", "__token__"]);

/**
 * Who sends a request. Credentials that were good are remembered until something of their principal changes, by a
 * hash; bad ones never are.
 */
export function createAuthenticate(
  deps: AuthenticateDeps,
): (request: CredentialSource, access?: Access) => Caller | Promise<Caller> {
  const { now, feed, uses } = deps;
  const remembered = createPrincipalCache<Known>(MAX_REMEMBERED);
  feed.onChange((changes) => remembered.forget(changes));
  const passwords = createPasswordMemory(deps);
  const asked = new Map<string, Promise<Known | undefined>>();
  /** Most connections are of one client, which sends the same credential again and again. */
  const lastOf = new WeakMap<object, { credential: string; known: Known; generation: number }>();
  // Keys have 256 random bits, and who reads the memory of the process finds more than hashes of passwords there.
  const digest = (credential: string): string => hash("sha256", credential, "binary");

  const use = (known: Known, request: CredentialSource, at: number): Caller => {
    const { kind, id } = known.credential;
    if (kind === "session") refuseForgery(request);
    else if (kind === "api_key" && id !== undefined) {
      const minute = Math.floor(at / 60_000);
      if (known.minute !== minute) {
        known.minute = minute;
        uses.note("api_key", id, at);
      }
    }
    const address = request.ip;
    if (known.caller.address !== address) {
      const { principal, credential } = known;
      known.caller = { principal, credential, address, entered: undefined };
    }
    return known.caller;
  };

  const prove = async (key: string, look: () => Promise<Proof | undefined>): Promise<Known | undefined> => {
    const { generation } = feed;
    const proof = await look();
    if (proof === undefined) return undefined;
    const { principal, credential, until } = proof;
    const known = { ...proof, caller: { principal, credential, address: "", entered: undefined }, minute: 0 };
    // What was read before a change must not be remembered after it.
    if (generation === feed.generation) {
      remembered.set(key, known, { principalId: principal.principalId, until });
    }
    return known;
  };

  /** Requests that come with the same credential at once share one look; not with those before a change. */
  const ask = (
    key: string,
    address: string,
    look: () => Promise<Proof | undefined>,
  ): Promise<Known | undefined> => {
    const from = `${feed.generation} ${key} ${address}`;
    const under = asked.get(from);
    if (under !== undefined) return under;
    const asking = prove(key, look).finally(() => asked.delete(from));
    asked.set(from, asking);
    return asking;
  };

  const lookAtHeader = (header: string, key: string, address: string): Promise<Proof | undefined> => {
    const given = readAuthorization(header);
    if (given === undefined) return Promise.resolve(undefined);
    if (given.scheme === "bearer") {
      const apiKey = readKey(given.token);
      return apiKey === undefined ? byToken(deps, given.token) : byApiKey(deps, apiKey, undefined);
    }
    const apiKey = readKey(given.password);
    const name = NAMELESS.has(given.name) ? undefined : given.name;
    if (apiKey !== undefined) return byApiKey(deps, apiKey, name);
    return passwords.check(key, given, address);
  };

  const slowly = async (
    request: CredentialSource,
    header: string,
    { key, waiting }: { key: string; waiting: void | Promise<void> },
  ): Promise<Caller> => {
    await waiting;
    const address = request.ip;
    const at = now();
    const known =
      remembered.get(key, at) ?? (await ask(key, address, () => lookAtHeader(header, key, address)));
    if (known === undefined) throw wrongCredential();
    return use(known, request, at);
  };

  const nobody = (request: CredentialSource): Caller =>
    deps.loginRequired
      ? anonymous(request.ip)
      : { principal: localPrincipal, credential: { kind: "local" }, address: request.ip };

  const bySession = async (
    request: CredentialSource,
    cookie: string,
    { key, waiting }: { key: string; waiting: void | Promise<void> },
  ): Promise<Caller> => {
    await waiting;
    const at = now();
    const known = remembered.get(key, at) ?? (await ask(key, "", () => lookAtSession(deps, cookie)));
    // A cookie that means nothing is no credential: it may be of a session that ended, or of another server.
    return known === undefined ? nobody(request) : use(known, request, at);
  };

  const authenticate = (request: CredentialSource): Caller | Promise<Caller> => {
    const { authorization, cookie } = request.headers;
    const session =
      authorization === undefined && cookie !== undefined ? readSessionCookie(request) : undefined;
    const credential = authorization ?? session;
    if (credential === undefined) return nobody(request);
    const at = now();
    const waiting = feed.fresh(at);
    const { generation } = feed;
    const socket = session === undefined ? request.socket : undefined;
    if (socket !== undefined && waiting === undefined) {
      const last = lastOf.get(socket);
      if (last?.credential === credential && last.generation === generation && at < last.known.until) {
        return use(last.known, request, at);
      }
    }
    // No header holds a line break: a cookie is never taken for one.
    const key = digest(session === undefined ? credential : `cookie\n${credential}`);
    const known = waiting === undefined ? remembered.get(key, at) : undefined;
    if (known !== undefined) {
      if (socket !== undefined) lastOf.set(socket, { credential, known, generation });
      return use(known, request, at);
    }
    return session === undefined
      ? slowly(request, credential, { key, waiting })
      : bySession(request, credential, { key, waiting });
  };
  return (request, access) =>
    access !== undefined && outlastsCredential(access, request.method)
      ? feed.readNow().then(() => authenticate(request))
      : authenticate(request);
}

/** With the name of its principal, or without any. */
async function byApiKey(
  { database, now }: AuthenticateDeps,
  { keyId, secret }: ApiKeyText,
  name: string | undefined,
): Promise<Proof | undefined> {
  const at = now();
  const row = await selectApiKeyCredential(database, keyId, at);
  if (row === undefined || (name !== undefined && normalizeName(name) !== row.name)) return undefined;
  const given = hashSecret(secret);
  const isCurrent = timingSafeEqual(given, row.secret_hash);
  const ends = row.expires_at ?? Infinity;
  const { previous_hash: previous, previous_until: previousUntil } = row;
  const isPrevious =
    previous !== null && previousUntil !== null && previousUntil > at && timingSafeEqual(given, previous);
  if (!isCurrent && !isPrevious) return undefined;
  const limit = limitOf(row);
  return {
    principal: toPrincipal(row),
    credential: { kind: "api_key", id: keyId, ...(limit === undefined ? {} : { limit }) },
    until: isCurrent ? ends : Math.min(ends, previousUntil ?? 0),
  };
}

async function byToken({ tokens }: AuthenticateDeps, token: string): Promise<Proof | undefined> {
  const holder = await tokens.resolveToken(token);
  if (holder === undefined) return undefined;
  const { principal, credentialId: id, limit, endsAt: until } = holder;
  const about = { ...(id === undefined ? {} : { id }), ...(limit === undefined ? {} : { limit }) };
  return { principal, credential: { kind: "token", ...about }, until };
}

async function lookAtSession(
  { sessions, principals, now }: AuthenticateDeps,
  cookie: string,
): Promise<Proof | undefined> {
  const session = await sessions.readSession(cookie);
  if (session === undefined) return undefined;
  const row = await principals.findPrincipal({ principalId: session.principal_id });
  if (row?.active !== true) return undefined;
  return {
    principal: toPrincipal(row),
    credential: { kind: "session", id: session.session_id },
    until: Math.min(session.expires_at, now() + REMEMBER_SESSION_MS),
  };
}

const MAX_PASSWORDS = 2 ** 16;

type PasswordMemory = {
  check(key: string, given: { name: string; password: string }, address: string): Promise<Proof | undefined>;
};

/**
 * A password that was right is right as long as it was not changed: after a change of roles its user is looked up
 * again, but nothing is hashed again.
 */
function createPasswordMemory({ principals, now, audit }: AuthenticateDeps): PasswordMemory {
  const right = createPrincipalCache<{ principalId: number; changedAt: number | null }>(MAX_PASSWORDS);
  return {
    async check(key, { name, password }, address) {
      const known = right.get(key, now());
      const found = known === undefined ? undefined : await principals.findPrincipal({ name });
      const isRight =
        known !== undefined &&
        found?.active === true &&
        found.has_password &&
        found.principal_id === known.principalId &&
        found.password_changed_at === known.changedAt;
      const row = isRight ? found : await principals.checkPassword(name, password, { address });
      const on = { action: "login", resource_type: "principal" } as const;
      if (row === undefined) {
        audit.recordDenied(anonymous(address), { ...on, resource_id: name, outcome: "failed" });
        return undefined;
      }
      const { principal_id: principalId, password_changed_at: changedAt } = row;
      const caller = { principal: toPrincipal(row), credential: { kind: "password" }, address } as const;
      // Each request carries the password: it is told once for each process that had to check it.
      if (!isRight) await audit.record(caller, { ...on, resource_id: row.name, outcome: "allowed" });
      right.set(key, { principalId, changedAt }, { principalId, until: Infinity });
      return { principal: caller.principal, credential: caller.credential, until: Infinity };
    },
  };
}

const wrongCredential = (): PlinthError =>
  unauthenticated("You are not authenticated: these credentials are not valid, or not any more.");

/**
 * For whatever makes credentials: a key that may less than its principal must not make one that may more
 * (CVE-2025-62506, CVE-2024-24747).
 */
export function assertUnlimited({ credential }: Pick<Caller, "credential">): void {
  if (credential.limit === undefined) return;
  throw permissionDenied("This credential is limited: it cannot make or change credentials.");
}
