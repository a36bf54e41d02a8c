import type { PrincipalRow } from "./principals.ts";

export type DeviceRow = {
  device_id: string;
  client_id: string;
  status: "pending" | "verified" | "active" | "locked";
  failed_attempts: number;
  expires_at: number | null;
  principal_id: number | null;
  trusted: boolean;
  os: string | null;
  address: string | null;
  hostname: string | null;
  python_version: string | null;
  client_version: string | null;
  last_login_at: number | null;
  creation_timestamp: number;
  last_updated_timestamp: number;
};

/** The OAuth2 device flow (RFC 8628), for command lines: `plinth login`, `zenml login`. */
export type Devices = {
  startDevice(
    clientId: string,
    about: {
      address: string;
      hostname?: string;
      os?: string;
      pythonVersion?: string;
      clientVersion?: string;
    },
  ): Promise<{
    device: DeviceRow;
    deviceCode: string;
    userCode: string;
    expiresInSeconds: number;
    intervalSeconds: number;
  }>;
  /** By a person who is logged in. Three wrong codes lock the device. */
  verifyDevice(
    deviceId: string,
    userCode: string,
    by: PrincipalRow,
    options: { trusted: boolean },
  ): Promise<DeviceRow>;
  /** For `plinth device approve CODE`, which has no id. Throws `not_found`. */
  findPendingDevice(userCode: string): Promise<DeviceRow | undefined>;
  /** What the client that waits is told; a code works once. */
  pollDevice(
    clientId: string,
    deviceCode: string,
  ): Promise<
    | { outcome: "pending" | "expired" | "denied" | "unknown" }
    | { outcome: "granted"; device: DeviceRow; principal: PrincipalRow }
  >;
  listDevices(principalId: number): Promise<DeviceRow[]>;
  getDevice(deviceId: string): Promise<DeviceRow>;
  updateDevice(deviceId: string, change: { trusted?: boolean; locked?: boolean }): Promise<DeviceRow>;
  deleteDevice(deviceId: string): Promise<void>;
};
