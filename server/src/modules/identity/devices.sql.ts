import type { Prepared, Queryable } from "../../kernel/database.ts";

export type DeviceStatus = "pending" | "verified" | "active" | "locked";

export type DeviceRow = {
  device_id: string;
  /** What the command line calls itself, the same for all its logins. */
  client_id: string;
  status: DeviceStatus;
  failed_attempts: number;
  /** Of the codes while it is pending or verified, of its tokens from then on. */
  expires_at: number;
  /** Null: nobody has let it in, or the local administrator of an open server. */
  principal_id: number | null;
  trusted: boolean;
  os: string | null;
  address: string;
  hostname: string | null;
  python_version: string | null;
  client_version: string | null;
  last_login_at: number | null;
  creation_timestamp: number;
  last_updated_timestamp: number;
};

const COLUMNS = `device_id, client_id, status, failed_attempts, expires_at, principal_id, trusted, os, address, hostname,
  python_version, client_version, last_login_at, creation_timestamp, last_updated_timestamp`;

const insertDeviceText: Prepared = {
  name: "identity_insert_device",
  text: `
    insert into identity.devices (device_id, client_id, user_code_hash, device_code_hash, status, expires_at, os,
      address, network, hostname, python_version, client_version, creation_timestamp, last_updated_timestamp)
    select $1, $2, $3, $4, 'pending', $5, $6, $7, $8, $9, $10, $11, $12, $12
    where (
        select count(*) from identity.devices where status = 'pending' and network = $8 and expires_at > $12
      ) < $13::bigint
      and (
        select count(*)
        from (select from identity.devices where status = 'pending' and expires_at > $12 limit $14) as waiting
      ) < $14
    returning ${COLUMNS}`,
};

export type NewDevice = Pick<
  DeviceRow,
  | "device_id"
  | "client_id"
  | "expires_at"
  | "os"
  | "address"
  | "hostname"
  | "python_version"
  | "client_version"
> & { user_code_hash: Buffer; device_code_hash: Buffer; network: string; now: number };

/** Undefined when too many wait already, from that network or in all; some more where many begin at once. */
export async function insertDevice(
  database: Queryable,
  row: NewDevice,
  most: { ofNetwork: number; inAll: number },
): Promise<DeviceRow | undefined> {
  const [added] = await database.prepared<DeviceRow>(insertDeviceText, [
    row.device_id,
    row.client_id,
    row.user_code_hash,
    row.device_code_hash,
    row.expires_at,
    row.os,
    row.address,
    row.network,
    row.hostname,
    row.python_version,
    row.client_version,
    row.now,
    most.ofNetwork,
    most.inAll,
  ]);
  return added;
}

const updateAttemptText: Prepared = {
  name: "identity_update_device_attempt",
  text: `
    update identity.devices set
      failed_attempts = failed_attempts + case when user_code_hash = $2 then 0 else 1 end,
      status = case when user_code_hash <> $2 and failed_attempts + 1 >= $3 then 'locked' else status end
    where device_id = $1 and status = 'pending' and expires_at > $4
    returning ${COLUMNS}, user_code_hash = $2 as matches`,
};

/** Counts a code that is wrong, and locks the device after `attempts` of them; undefined when none waits. */
export async function updateAttempt(
  database: Queryable,
  given: { device_id: string; user_code_hash: Buffer; attempts: number; now: number },
): Promise<(DeviceRow & { matches: boolean }) | undefined> {
  const values = [given.device_id, given.user_code_hash, given.attempts, given.now];
  return (await database.prepared<DeviceRow & { matches: boolean }>(updateAttemptText, values))[0];
}

const updateVerifiedText: Prepared = {
  name: "identity_update_device_verified",
  text: `
    update identity.devices
    set status = 'verified', principal_id = $2, trusted = $3, last_updated_timestamp = $4
    where device_id = $1 and status = 'pending' and expires_at > $4
    returning ${COLUMNS}`,
};

export async function updateVerified(
  database: Queryable,
  by: { device_id: string; principal_id: number | null; trusted: boolean; now: number },
): Promise<DeviceRow | undefined> {
  const values = [by.device_id, by.principal_id, by.trusted, by.now];
  return (await database.prepared<DeviceRow>(updateVerifiedText, values))[0];
}

const selectApproverText: Prepared = {
  name: "identity_select_device_approver",
  text: `
    select kind = 'user' as is_person, exists (
      select from identity.devices
      where devices.principal_id = principals.principal_id and client_id = $2 and status = 'locked'
    ) as has_locked
    from identity.principals where principal_id = $1`,
};

/** Whether a principal is a person, and has locked that command line. */
export async function selectApprover(
  database: Queryable,
  { principal_id, client_id }: { principal_id: number; client_id: string },
): Promise<{ is_person: boolean; has_locked: boolean } | undefined> {
  const values = [principal_id, client_id];
  return (
    await database.prepared<{ is_person: boolean; has_locked: boolean }>(selectApproverText, values)
  )[0];
}

const selectPendingText: Prepared = {
  name: "identity_select_pending_device",
  text: `
    select ${COLUMNS} from identity.devices
    where user_code_hash = $1 and status = 'pending' and expires_at > $2`,
};

export async function selectPending(
  database: Queryable,
  userCodeHash: Buffer,
  now: number,
): Promise<DeviceRow | undefined> {
  return (await database.prepared<DeviceRow>(selectPendingText, [userCodeHash, now]))[0];
}

const lockPolledText: Prepared = {
  name: "identity_lock_polled_device",
  text: `
    select ${COLUMNS}, last_polled_at,
      (select uuid from identity.principals where principals.principal_id = devices.principal_id) as principal_uuid
    from identity.devices where device_code_hash = $1 and client_id = $2 for update`,
};

export type PolledDevice = DeviceRow & { last_polled_at: number | null; principal_uuid: string | null };

/** Polls of one device take turns until the transaction ends. */
export async function lockPolled(
  transaction: Queryable,
  { client_id, device_code_hash }: { client_id: string; device_code_hash: Buffer },
): Promise<PolledDevice | undefined> {
  return (await transaction.prepared<PolledDevice>(lockPolledText, [device_code_hash, client_id]))[0];
}

const updatePolledText: Prepared = {
  name: "identity_update_polled_device",
  text: "update identity.devices set last_polled_at = $2 where device_id = $1",
};

export async function updatePolled(transaction: Queryable, deviceId: string, now: number): Promise<void> {
  await transaction.prepared(updatePolledText, [deviceId, now]);
}

const updateActiveText: Prepared = {
  name: "identity_update_device_active",
  text: `
    update identity.devices
    set status = 'active', expires_at = $2, last_login_at = $3, last_updated_timestamp = $3
    where device_id = $1 returning ${COLUMNS}`,
};

export async function updateActive(
  transaction: Queryable,
  { device_id, expires_at, now }: { device_id: string; expires_at: number; now: number },
): Promise<DeviceRow | undefined> {
  return (await transaction.prepared<DeviceRow>(updateActiveText, [device_id, expires_at, now]))[0];
}

const deleteEarlierText: Prepared = {
  name: "identity_delete_earlier_devices",
  text: `
    delete from identity.devices
    where principal_id = $1 and client_id = $2 and device_id <> $3 and status in ('verified', 'active')
    returning device_id`,
};

/** The earlier logins of a command line that logs in anew. */
export async function deleteEarlier(
  transaction: Queryable,
  of: { principal_id: number; client_id: string; device_id: string },
): Promise<{ device_id: string }[]> {
  return transaction.prepared(deleteEarlierText, [of.principal_id, of.client_id, of.device_id]);
}

const selectDevicesText: Prepared = {
  name: "identity_select_devices",
  text: `
    select ${COLUMNS} from identity.devices
    where principal_id = $1 and expires_at > $2 order by creation_timestamp, device_id`,
};

/** Those that were let in by this person, until their tokens end. */
export async function selectDevices(
  database: Queryable,
  principalId: number,
  now: number,
): Promise<DeviceRow[]> {
  return database.prepared<DeviceRow>(selectDevicesText, [principalId, now]);
}

const selectDeviceText: Prepared = {
  name: "identity_select_device",
  text: `select ${COLUMNS} from identity.devices where device_id = $1 and expires_at > $2`,
};

export async function selectDevice(
  database: Queryable,
  deviceId: string,
  now: number,
): Promise<DeviceRow | undefined> {
  return (await database.prepared<DeviceRow>(selectDeviceText, [deviceId, now]))[0];
}

// What nobody has let in cannot be unlocked: its codes were guessed at.
const updateLockedText: Prepared = {
  name: "identity_update_device_locked",
  text: `
    update identity.devices
    set status = case when $2 then 'locked' else 'active' end, last_updated_timestamp = $3
    where device_id = $1 and status in ('active', 'locked') and last_login_at is not null and expires_at > $3
    returning ${COLUMNS}`,
};

export async function updateLocked(
  transaction: Queryable,
  { device_id, locked, now }: { device_id: string; locked: boolean; now: number },
): Promise<DeviceRow | undefined> {
  return (await transaction.prepared<DeviceRow>(updateLockedText, [device_id, locked, now]))[0];
}

const deleteDeviceText: Prepared = {
  name: "identity_delete_device",
  text: "delete from identity.devices where device_id = $1 returning device_id, principal_id",
};

export async function deleteDeviceRow(
  transaction: Queryable,
  deviceId: string,
): Promise<{ principal_id: number | null } | undefined> {
  return (await transaction.prepared<{ principal_id: number | null }>(deleteDeviceText, [deviceId]))[0];
}

const deleteExpiredText: Prepared = {
  name: "identity_delete_expired_devices",
  text: "delete from identity.devices where expires_at <= $1",
};

export async function deleteExpiredDevices(database: Queryable, before: number): Promise<void> {
  await database.prepared(deleteExpiredText, [before]);
}
