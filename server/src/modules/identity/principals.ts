import { createHash, hash, randomBytes } from "node:crypto";
import type { Caller, Principal } from "../../kernel/caller.ts";
import type { Queryable } from "../../kernel/database.ts";
import { isForeignKeyViolation, violates } from "../../kernel/database-errors.ts";
import {
  alreadyExists,
  invalidParameter,
  invalidState,
  notFound,
  permissionDenied,
  type PlinthError,
} from "../../kernel/errors.ts";
import { decodePageToken, encodePageToken, foreignToken } from "../../kernel/page-token.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { recordChange } from "./changes.sql.ts";
import type { IdentityDeps } from "./deps.ts";
import { loginSubjects, type LoginLimits } from "./login-limits.ts";
import { assertGoodPassword, isPossiblePassword, WrongCurrentPassword, type Passwords } from "./passwords.ts";
import { profileOf, readTexts, type PrincipalFields } from "./principal-fields.ts";
import { normalizeName, readPrincipalName, readText } from "./principal-names.ts";
import {
  deletePrincipal,
  insertPrincipal,
  lockAdmins,
  selectActivation,
  selectHasAdmin,
  selectPrincipal,
  selectPrincipals,
  selectPrincipalWithHash,
  selectPrincipalsByUuids,
  updateActivated,
  updateActivation,
  updatePassword,
  updatePasswordHash,
  updatePrincipal,
  type PrincipalChange,
  type PrincipalRow,
} from "./principals.sql.ts";
import { deleteSessionsOf } from "./sessions.sql.ts";

export type { PrincipalFields } from "./principal-fields.ts";
export type { PrincipalProfile, PrincipalRow } from "./principals.sql.ts";

export type PrincipalKind = "user" | "service_account";

export type NewPrincipal = PrincipalFields & {
  kind: PrincipalKind;
  name: string;
  /** Users only; without one the user cannot log in by password until activated. */
  password?: string;
  isAdmin?: boolean;
};

export type PrincipalRef = { principalId: number } | { uuid: string } | { name: string };

/** Users and service accounts. Nobody may make a principal that may more than its maker. */
export type Principals = {
  /** Throws `already_exists`, `invalid_parameter` for a bad name or a weak password (under 12 characters). */
  createPrincipal(given: NewPrincipal): Promise<PrincipalRow>;
  /** Throws `not_found`. */
  getPrincipal(ref: PrincipalRef): Promise<PrincipalRow>;
  findPrincipal(ref: PrincipalRef): Promise<PrincipalRow | undefined>;
  /** Those that there are, in any order. */
  listByUuids(uuids: readonly string[]): Promise<PrincipalRow[]>;
  listPrincipals(page: {
    kind?: PrincipalKind;
    /** Names that hold this text. */
    contains?: string;
    maxResults: number;
    pageToken?: string;
  }): Promise<{ principals: PrincipalRow[]; nextPageToken: string | undefined }>;
  /** A new name goes with all grants, since those are by id. */
  updatePrincipal(
    ref: PrincipalRef,
    change: PrincipalFields & { name?: string; default_workspace_id?: number | null },
  ): Promise<PrincipalRow>;
  /** All sessions, tokens and remembered logins end with it. `current` is checked where it is given. */
  setPassword(ref: PrincipalRef, password: string, options?: { current?: string }): Promise<PrincipalRow>;
  /** Throws `invalid_state` for the last active administrator who can log in. */
  setAdmin(ref: PrincipalRef, isAdmin: boolean): Promise<PrincipalRow>;
  /** Who is not active is refused at once. Throws as `setAdmin`. */
  setActive(ref: PrincipalRef, active: boolean): Promise<PrincipalRow>;
  /** With keys, sessions, personal grants. Throws as `setAdmin`, and for one who made what is still there. */
  deletePrincipal(ref: PrincipalRef): Promise<void>;
  /** A token with which somebody else may set the first password, once; shown only here. */
  issueActivationToken(ref: PrincipalRef): Promise<string>;
  activate(
    ref: PrincipalRef,
    given: { token: string; password?: string } & PrincipalFields,
  ): Promise<PrincipalRow>;
  /** Whether a person could log in as administrator: else a server that needs logins does not start. */
  hasAdmin(): Promise<boolean>;
  /**
   * The user with this name and password, else undefined: of the same answer and time for names that do not exist.
   * Limited by account and address: throws `too_many_requests`. Does not remember (see `authenticate`).
   */
  checkPassword(
    name: string,
    password: string,
    from: Pick<Caller, "address">,
  ): Promise<PrincipalRow | undefined>;
};

export type PrincipalsDeps = Pick<IdentityDeps, "database" | "now"> & {
  feed: Pick<ChangeFeed, "readNow">;
  passwords: Passwords;
  limits: LoginLimits;
};

const ACTIVATION_MS = 7 * 24 * 60 * 60 * 1000;
const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

export function createPrincipals(deps: PrincipalsDeps): Principals {
  const { database, now, feed, passwords } = deps;

  const find = (within: Queryable, ref: PrincipalRef): Promise<PrincipalRow | undefined> => {
    if ("uuid" in ref && !UUID.test(ref.uuid)) return Promise.resolve(undefined);
    return selectPrincipal(within, "name" in ref ? { name: searchableName(ref.name) } : ref);
  };
  const get = async (within: Queryable, ref: PrincipalRef): Promise<PrincipalRow> => {
    const row = await find(within, ref);
    if (row === undefined) throw principalNotFound(ref);
    return row;
  };

  /** Does `work` to a principal, and refuses it when nobody is left to administer the platform. */
  const change = async <T>(
    ref: PrincipalRef,
    work: (transaction: Queryable, row: PrincipalRow) => Promise<T>,
    options: { takesAway: boolean },
  ): Promise<T> => {
    const done = await database.transaction(async (transaction) => {
      const { principal_id: id, name } = await get(transaction, ref);
      if (options.takesAway) await lockAdmins(transaction);
      // What it is now that nobody else takes administrators away.
      const row = await get(transaction, { principalId: id });
      const before = options.takesAway ? await selectHasAdmin(transaction, id) : undefined;
      const result = await work(transaction, row);
      if (before?.this === true && !(await selectHasAdmin(transaction)).some) throw lastAdmin(name);
      await recordChange(transaction, { principalId: id });
      return result;
    });
    await feed.readNow();
    return done;
  };

  const update = async (
    ref: PrincipalRef,
    fields: PrincipalChange,
    options: { takesAway: boolean },
  ): Promise<PrincipalRow> =>
    change(
      ref,
      async (transaction, { principal_id: id }) => {
        // Whoever is let in again logs in again.
        if (fields.active === false) await deleteSessionsOf(transaction, id);
        return present(await updatePrincipal(transaction, id, { ...fields, now: now() }), ref);
      },
      options,
    );

  return {
    async createPrincipal({ kind, password, isAdmin = false, ...given }) {
      const name = readPrincipalName(given.name);
      if (password !== undefined) {
        if (kind !== "user") throw invalidParameter("A service account has no password; give it an API key.");
        assertGoodPassword(password, name);
      }
      const row = await insertPrincipal(database, {
        kind,
        name,
        full_name: readText(given.full_name, "full name"),
        email: readText(given.email, "e-mail address"),
        description: readText(given.description, "description"),
        password_hash: password === undefined ? null : await passwords.hash(password),
        ...profileOf(given),
        is_admin: isAdmin,
        now: now(),
      });
      if (row === undefined) throw nameTaken(name);
      return row;
    },
    getPrincipal: (ref) => get(database, ref),
    findPrincipal: (ref) => find(database, ref),
    listByUuids: (uuids) => selectPrincipalsByUuids(database, uuids),
    async listPrincipals({ kind, contains, maxResults, pageToken }) {
      const after = pageToken === undefined ? "" : readPlace(pageToken);
      const limit = maxResults + 1;
      const rows = await selectPrincipals(database, { after, kind, contains, limit });
      const principals = rows.slice(0, maxResults);
      const last = principals.at(-1);
      const more = rows.length > maxResults && last !== undefined;
      return { principals, nextPageToken: more ? encodePageToken([last.name]) : undefined };
    },
    async updatePrincipal(ref, given) {
      const { default_workspace_id: workspaceId } = given;
      const fields: PrincipalChange = {
        ...(given.name === undefined ? {} : { name: readPrincipalName(given.name) }),
        ...readTexts(given),
        ...profileOf(given),
        ...(workspaceId === undefined ? {} : { default_workspace_id: workspaceId }),
      };
      return update(ref, fields, { takesAway: false }).catch((error: unknown) => {
        throw violates(error, "principals_name_key") ? nameTaken(fields.name ?? "") : error;
      });
    },
    async setPassword(ref, password, { current } = {}) {
      const { principal_id: principalId, kind, name } = await get(database, ref);
      if (kind !== "user") throw invalidParameter("A service account has no password; give it an API key.");
      assertGoodPassword(password, name);
      const expected = current === undefined ? undefined : await checkCurrent(deps, name, current);
      if (current === password) throw invalidParameter("New password must differ from the current password.");
      const hash = await passwords.hash(password);
      const set = { principalId, hash, expected };
      return change(
        { principalId },
        async (transaction) => {
          const row = await updatePassword(transaction, { ...set, now: now() });
          if (row === undefined) throw new WrongCurrentPassword();
          return row;
        },
        { takesAway: false },
      );
    },
    setAdmin: (ref, isAdmin) =>
      change(
        ref,
        async (transaction, row) => {
          if (!isAdmin && row.is_admin_by_group) {
            throw invalidState(`${quote(row.name)} is an administrator by a group of the identity provider.`);
          }
          const fields = { is_admin: isAdmin, now: now() };
          return present(await updatePrincipal(transaction, row.principal_id, fields), ref);
        },
        { takesAway: !isAdmin },
      ),
    setActive: (ref, active) => update(ref, { active }, { takesAway: !active }),
    deletePrincipal: (ref) =>
      change(
        ref,
        async (transaction, { principal_id: id }) => void (await deletePrincipal(transaction, id)),
        { takesAway: true },
      ).catch((error: unknown) => {
        throw isForeignKeyViolation(error) ? stillOwns(ref) : error;
      }),
    async issueActivationToken(ref) {
      const { principal_id: principalId, kind, name } = await get(database, ref);
      const token = randomBytes(32).toString("hex");
      const given = { principalId, hash: hashToken(token), until: now() + ACTIVATION_MS, now: now() };
      if (kind !== "user") throw invalidParameter(`${quote(name)} is a service account: give it an API key.`);
      if (!(await updateActivation(database, given))) throw principalNotFound(ref);
      return token;
    },
    async activate(ref, { token, password, ...fields }) {
      const row = await find(database, ref);
      if (row === undefined) throw noActivation();
      const { principal_id: principalId, name } = row;
      const given = { principalId, hash: hashToken(token) };
      if (!(await selectActivation(database, { ...given, now: now() }))) throw noActivation();
      if (password === undefined && !row.has_password && row.external_subject === null) {
        throw invalidParameter("Give a password, with which to log in from now on.");
      }
      if (password !== undefined) assertGoodPassword(password, name);
      const hash = password === undefined ? undefined : await passwords.hash(password);
      const texts: PrincipalChange = { ...readTexts(fields), ...profileOf(fields) };
      return change(
        { principalId },
        async (transaction) => {
          if (!(await updateActivated(transaction, { ...given, now: now() }))) throw noActivation();
          if (hash !== undefined) {
            await updatePassword(transaction, { principalId, hash, expected: undefined, now: now() });
          }
          return present(await updatePrincipal(transaction, principalId, { ...texts, now: now() }), ref);
        },
        { takesAway: false },
      );
    },
    hasAdmin: async () => (await selectHasAdmin(database)).some,
    checkPassword: createPasswordCheck(deps),
  };
}

type Check = Principals["checkPassword"];

/** Clients that start at once with the same password share one computation, and count as one attempt. */
function createPasswordCheck(deps: PrincipalsDeps): Check {
  const { database, passwords, limits } = deps;
  const asked = new Map<string, Promise<string | undefined>>();

  /** The hash that the password matches. */
  const match = async (name: string, password: string, address: string): Promise<string | undefined> => {
    const subjects = loginSubjects(name, address);
    // Whoever is blocked does not stand in the line either.
    const { isKnown } = await limits.check(subjects);
    const known = await selectPrincipalWithHash(database, searchableName(name));
    const stored = known?.password_hash ?? undefined;
    const begin = (): Promise<void> => limits.begin(subjects);
    const { matches, outdated } = await passwords.check(password, stored, { isKnown, begin });
    if (!matches || stored === undefined || known?.active !== true) return undefined;
    await limits.end(subjects);
    if (!outdated) return stored;
    const to = await passwords.hash(password);
    const isNew = await updatePasswordHash(database, {
      principalId: known.principal_id,
      from: stored,
      to,
    });
    return isNew ? to : stored;
  };

  return async (name, password, { address }) => {
    if (!isPossiblePassword(password)) return undefined;
    const key = hash("sha256", JSON.stringify([name, password, address]), "base64");
    let asking = asked.get(key);
    if (asking === undefined) {
      asking = match(name, password, address).finally(() => asked.delete(key));
      asked.set(key, asking);
    }
    const matched = await asking;
    // It may have been changed, or its user be shut out, while this one waited. Also for whom nothing matched: all
    // take the same time.
    const row = await selectPrincipalWithHash(database, searchableName(name));
    if (matched === undefined || row?.active !== true || row.password_hash !== matched) return undefined;
    const { password_hash: _, ...shown } = row;
    return shown;
  };
}

/** The hash that the current password has. Guesses are limited as those from one address are. */
async function checkCurrent(deps: PrincipalsDeps, name: string, current: string): Promise<string> {
  if (!isPossiblePassword(current)) throw new WrongCurrentPassword();
  const row = await selectPrincipalWithHash(deps.database, name);
  // An address of its own: nobody's guesses count for others.
  const subjects = loginSubjects(name, `own ${row?.principal_id ?? 0}`);
  const stored = row?.password_hash ?? undefined;
  const begin = (): Promise<void> => deps.limits.begin(subjects);
  const { matches } = await deps.passwords.check(current, stored, { isKnown: true, begin });
  if (!matches || stored === undefined) throw new WrongCurrentPassword();
  await deps.limits.end(subjects);
  return stored;
}

/** Who is behind a row, as requests carry it. */
export const toPrincipal = (
  row: Pick<PrincipalRow, "principal_id" | "uuid" | "kind" | "name" | "is_admin" | "is_admin_by_group">,
): Principal => ({
  principalId: row.principal_id,
  uuid: row.uuid,
  kind: row.kind,
  name: row.name,
  isAdmin: row.is_admin || row.is_admin_by_group,
});

/** No name is empty: that finds nobody, where the text could not even be asked for. */
const searchableName = (name: string): string =>
  name.isWellFormed() && !name.includes("\0") ? normalizeName(name) : "";

const hashToken = (token: string): Buffer => createHash("sha256").update(token).digest();

function readPlace(token: string): string {
  const [name] = decodePageToken(token, 1);
  if (typeof name !== "string") throw foreignToken();
  return name;
}

function present(row: PrincipalRow | undefined, ref: PrincipalRef): PrincipalRow {
  if (row === undefined) throw principalNotFound(ref);
  return row;
}

const quote = (name: string): string => `'${name}'`;

const principalNotFound = (ref: PrincipalRef): PlinthError => {
  const [what] = Object.values(ref) as [string | number];
  return notFound(
    `No user or service account ${typeof what === "string" ? quote(what) : `with id ${what}`}.`,
  );
};

const nameTaken = (name: string): PlinthError =>
  alreadyExists(`A user or service account named ${quote(name)} already exists.`);

const stillOwns = (ref: PrincipalRef): PlinthError => {
  const [what] = Object.values(ref) as [string | number];
  return invalidState(
    `${typeof what === "string" ? quote(what) : "The account"} has made pipelines, runs, stacks or other things that are ` +
      "still there. Delete those first, or deactivate the account.",
  );
};

const lastAdmin = (name: string): PlinthError =>
  invalidState(`${quote(name)} is the last active administrator. Make somebody else administrator before.`);

const noActivation = (): PlinthError =>
  permissionDenied("This activation token is not valid, was used already, or is older than 7 days.");
