import { createHash, randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Principal } from "../../kernel/caller.ts";
import type { Database, Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import {
  invalidParameter,
  invalidState,
  notFound,
  permissionDenied,
  PlinthError,
} from "../../kernel/errors.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { recordChange } from "./changes.sql.ts";
import {
  deleteDeviceRow,
  deleteEarlier,
  deleteExpiredDevices,
  insertDevice,
  lockPolled,
  selectApprover,
  selectDevice,
  selectDevices,
  selectPending,
  updateActive,
  updateAttempt,
  updateLocked,
  updatePolled,
  updateVerified,
  type DeviceRow,
  type PolledDevice,
} from "./devices.sql.ts";
import { localPrincipal } from "./local-principal.ts";
import { networkOf } from "./login-limits.ts";
import { MAX_TOKEN_SECONDS } from "./tokens.ts";

export type { DeviceRow } from "./devices.sql.ts";

/** What a command line says of itself; shown to whoever is asked to let it in, and to be believed as little. */
export type AboutDevice = {
  address: string;
  hostname?: string;
  os?: string;
  pythonVersion?: string;
  clientVersion?: string;
};

export type StartedDevice = {
  device: DeviceRow;
  deviceCode: string;
  /** Letters without vowels, `BCDF-GHJK`; case and hyphen do not matter. */
  userCode: string;
  expiresInSeconds: number;
  /** How long the client waits between two polls. */
  intervalSeconds: number;
};

export type PolledOutcome =
  /** `denied`: too many wrong codes. `unknown`: no such code of this client. */
  | { outcome: "pending" | "slow_down" | "expired" | "denied" | "unknown" }
  | { outcome: "granted"; device: DeviceRow; principalUuid: string };

/** The OAuth2 device flow (RFC 8628), for command lines: `plinth login`, `zenml login`. */
export type Devices = {
  /** Throws `too_many_requests` when too many wait already. */
  startDevice(clientId: string, about: AboutDevice): Promise<StartedDevice>;
  /**
   * By a person who is logged in without a limit: `permission_denied` for service accounts. Throws `invalid_parameter` for a wrong code, three of which lock
   * the device, `not_found` when none waits by that id.
   */
  verifyDevice(
    deviceId: string,
    userCode: string,
    options: { by: Pick<Principal, "principalId">; trusted: boolean },
  ): Promise<DeviceRow>;
  /** What is asked for, before it is let in; wrong codes count as for `verifyDevice`. */
  checkUserCode(deviceId: string, userCode: string): Promise<DeviceRow>;
  /** For `plinth device approve CODE`, which has no id. */
  findPendingDevice(userCode: string): Promise<DeviceRow | undefined>;
  /** What the client that waits is told; a code works once. On an open server there is nothing to wait for. */
  pollDevice(clientId: string, deviceCode: string): Promise<PolledOutcome>;
  listDevices(principalId: number): Promise<DeviceRow[]>;
  /** Throws `not_found`. */
  getDevice(deviceId: string): Promise<DeviceRow>;
  /** A locked one is refused, and may not log in anew, until it is unlocked. */
  lockDevice(deviceId: string, locked: boolean): Promise<DeviceRow>;
  deleteDevice(deviceId: string): Promise<void>;
  purge(): Promise<void>;
};

const CODES_MS = 300_000;
const INTERVAL_SECONDS = 5;
/** Polls arrive closer together than they are sent, and clients that share a code are few. */
const TOO_EARLY_MS = (INTERVAL_SECONDS - 1) * 1000;
const ATTEMPTS = 3;
/** An office behind one address has room for this many at a time; a stranger takes no more. */
const MOST_OF_NETWORK = 50;
const MOST_IN_ALL = 10_000;
/** What ended is still told apart from what never was. */
const KEEP_EXPIRED_MS = 10 * 60 * 1000;

const DAY_MS = 24 * 60 * 60 * 1000;
/** How long a device stays logged in; a trusted one as long as a token may be good for. */
const lifetimeMs = (trusted: boolean): number => (trusted ? MAX_TOKEN_SECONDS * 1000 : DAY_MS);

export type DevicesDeps = { database: Database; now(): number; loginRequired: boolean; feed: ChangeFeed };

export function createDevices({ database, now, loginRequired, feed }: DevicesDeps): Devices {
  const checkUserCode = async (deviceId: string, userCode: string): Promise<DeviceRow> => {
    const found = await updateAttempt(database, {
      device_id: deviceId,
      user_code_hash: hashOf(normalize(userCode)),
      attempts: ATTEMPTS,
      now: now(),
    });
    if (found === undefined) throw notWaiting();
    const { matches, ...device } = found;
    if (!matches) throw wrongCode(device);
    return device;
  };

  const checkApprover = async (approver: { principal_id: number; client_id: string }): Promise<void> => {
    const found = await selectApprover(database, approver);
    // What a service account lets in would go on when its key is taken away.
    if (found?.is_person !== true) throw permissionDenied("Only a person lets devices in.");
    if (!found.has_locked) return;
    throw invalidState("You have locked this device: unlock or delete it before it may log in anew.");
  };

  const change = async <T>(
    work: (transaction: Queryable) => Promise<{ result: T; of: number | null }>,
  ): Promise<T> => {
    const { result, of } = await database.transaction(async (transaction) => {
      const done = await work(transaction);
      if (done.of !== null) await recordChange(transaction, { principalId: done.of });
      return done;
    });
    if (of !== null) await feed.readNow();
    return result;
  };

  const insert = async (clientId: string, about: AboutDevice, userCode: string): Promise<StartedDevice> => {
    const deviceCode = randomBytes(32).toString("hex");
    const at = now();
    const row = {
      device_id: randomUUID(),
      client_id: clientId,
      user_code_hash: hashOf(userCode),
      device_code_hash: hashOf(deviceCode),
      expires_at: at + CODES_MS,
      os: printable(about.os),
      address: about.address,
      network: networkOf(about.address),
      hostname: printable(about.hostname),
      python_version: printable(about.pythonVersion),
      client_version: printable(about.clientVersion),
      now: at,
    };
    const device = await insertDevice(database, row, { ofNetwork: MOST_OF_NETWORK, inAll: MOST_IN_ALL });
    if (device === undefined) throw tooMany();
    return {
      device,
      deviceCode,
      userCode: `${userCode.slice(0, CODE_LENGTH / 2)}-${userCode.slice(CODE_LENGTH / 2)}`,
      expiresInSeconds: CODES_MS / 1000,
      intervalSeconds: INTERVAL_SECONDS,
    };
  };

  return {
    startDevice: (clientId, about) =>
      insert(clientId, about, newUserCode()).catch((error: unknown) => {
        // Of two that wait, one has this code; the next one is another.
        if (!violates(error, "devices_user_code_hash")) throw error;
        return insert(clientId, about, newUserCode());
      }),
    checkUserCode,
    async verifyDevice(deviceId, userCode, { by, trusted }) {
      const { client_id } = await checkUserCode(deviceId, userCode);
      const principal = by.principalId === localPrincipal.principalId ? null : by.principalId;
      if (principal !== null) await checkApprover({ principal_id: principal, client_id });
      const given = { device_id: deviceId, principal_id: principal, trusted, now: now() };
      const device = await updateVerified(database, given);
      if (device === undefined) throw notWaiting();
      return device;
    },
    findPendingDevice: (userCode) => selectPending(database, hashOf(normalize(userCode)), now()),
    async pollDevice(clientId, deviceCode) {
      const code = { client_id: clientId, device_code_hash: hashOf(deviceCode) };
      return change(async (transaction) => {
        const at = now();
        const found = await lockPolled(transaction, code);
        const outcome = found === undefined ? "unknown" : outcomeOf(found, at, loginRequired);
        if (found === undefined || outcome !== "granted") {
          if (found !== undefined) await updatePolled(transaction, found.device_id, at);
          return { result: { outcome } as PolledOutcome, of: null };
        }
        const expiresAt = at + lifetimeMs(found.trusted);
        const active = { device_id: found.device_id, expires_at: expiresAt, now: at };
        const device = await updateActive(transaction, active);
        if (device === undefined) throw notWaiting();
        const { principal_id: of, client_id, device_id } = found;
        if (of !== null) await deleteEarlier(transaction, { principal_id: of, client_id, device_id });
        const principalUuid = found.principal_uuid ?? localPrincipal.uuid;
        return { result: { outcome, device, principalUuid }, of };
      });
    },
    listDevices: (principalId) => selectDevices(database, principalId, now()),
    async getDevice(deviceId) {
      const device = await selectDevice(database, deviceId, now());
      if (device === undefined) throw unknownDevice();
      return device;
    },
    lockDevice: (deviceId, locked) =>
      change(async (transaction) => {
        const device = await updateLocked(transaction, { device_id: deviceId, locked, now: now() });
        if (device === undefined) {
          if ((await selectDevice(transaction, deviceId, now())) === undefined) throw unknownDevice();
          throw invalidState("Only devices that have logged in can be locked or unlocked.");
        }
        return { result: device, of: device.principal_id };
      }),
    deleteDevice: (deviceId) =>
      change(async (transaction) => {
        const deleted = await deleteDeviceRow(transaction, deviceId);
        if (deleted === undefined) throw unknownDevice();
        return { result: undefined, of: deleted.principal_id };
      }),
    purge: () => deleteExpiredDevices(database, now() - KEEP_EXPIRED_MS),
  };
}

function outcomeOf(
  device: PolledDevice,
  now: number,
  loginRequired: boolean,
): "pending" | "slow_down" | "expired" | "denied" | "granted" {
  if (device.status === "active" || device.expires_at <= now) return "expired";
  if (device.status === "locked") return "denied";
  // Let in by the local administrator, who is nobody where logins are required.
  if (device.status === "verified" && device.principal_uuid === null && loginRequired) return "denied";
  if (device.status === "verified" || !loginRequired) return "granted";
  const last = device.last_polled_at;
  return last !== null && now - last < TOO_EARLY_MS ? "slow_down" : "pending";
}

/** 20 consonants, none of which is taken for another one or for a digit; words do not come of them (RFC 8628, 6.1). */
const LETTERS = "BCDFGHJKLMNPQRSTVWXZ";
/** 34 bits: three guesses at one device, or a search among all that wait, find nothing in five minutes. */
const CODE_LENGTH = 8;

const newUserCode = (): string =>
  Array.from({ length: CODE_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join("");

const normalize = (userCode: string): string => userCode.replaceAll(/[\s-]/g, "").toUpperCase();

const hashOf = (code: string): Buffer => createHash("sha256").update(code).digest();

/** What strangers say is shown to people: without characters that hide or turn what stands beside them. */
const printable = (text: string | undefined): string | null => {
  const shown = text?.replaceAll(/\p{C}/gu, "").slice(0, 255).toWellFormed() ?? "";
  return shown === "" ? null : shown;
};

const unknownDevice = (): PlinthError => notFound("There is no such device.");

const notWaiting = (): PlinthError =>
  notFound("No device waits by that id: it was let in or locked already, or five minutes have passed.");

const wrongCode = ({ status }: DeviceRow): PlinthError =>
  invalidParameter(
    status === "locked"
      ? "The code is wrong, and this was the last attempt: begin the login anew."
      : "The code is wrong: enter the one that the command line shows.",
  );

const tooMany = (): PlinthError =>
  new PlinthError("too_many_requests", "Too many devices wait to be let in. Try again in some minutes.", {
    retryAfterSeconds: 60,
  });
