import type { FastifyInstance } from "fastify";
import { deviceApproval, deviceChange, type Device } from "@plinth/contract";
import { loginAccess } from "../../kernel/access.ts";
import type { Caller } from "../../kernel/caller.ts";
import { notFound } from "../../kernel/errors.ts";
import { assertUnlimited, type DeviceRow, type Identity } from "../../modules/identity/index.ts";
import { read, requireOwnRow } from "./request.ts";

type Options = { identity: Pick<Identity, "devices"> };
type Named = { Params: { device_id: string } };

const access = { config: { access: loginAccess, protocol: "console" } } as const;

const PATH = "/console/api/me/devices";

/** Command lines that somebody let in as oneself. */
export function registerDevices(app: FastifyInstance, { identity: { devices } }: Options): void {
  const ownDevice = async (caller: Caller, deviceId: string): Promise<DeviceRow> => {
    const { principalId } = requireOwnRow(caller);
    const own = await devices.listDevices(principalId);
    const found = own.find((row) => row.device_id === deviceId);
    if (found === undefined) throw notFound(`You have no device '${deviceId}'.`);
    return found;
  };
  app.get(PATH, access, async (request, reply) => {
    const { principalId } = requireOwnRow(request.caller);
    return reply.send({ devices: (await devices.listDevices(principalId)).map(deviceJson) });
  });
  // What asks to be let in; the code alone tells, so that it can be compared before it is approved.
  app.post(`${PATH}/find`, access, async (request, reply) => {
    const { user_code } = read(deviceApproval, request.body);
    return reply.send(deviceJson(await pending(devices, user_code)));
  });
  app.post(PATH, access, async (request, reply) => {
    const { caller } = request;
    assertUnlimited(caller);
    const { user_code, trusted } = read(deviceApproval, request.body);
    const waiting = await pending(devices, user_code);
    request.subject = { resourceType: "device", resourceId: waiting.device_id, details: { trusted } };
    const by = { principalId: caller.principal?.principalId ?? 0 };
    const device = await devices.verifyDevice(waiting.device_id, user_code, { by, trusted });
    return reply.code(201).send(deviceJson(device));
  });
  app.patch<Named>(`${PATH}/:device_id`, access, async (request, reply) => {
    assertUnlimited(request.caller);
    const { device_id: deviceId } = await ownDevice(request.caller, request.params.device_id);
    const { locked } = read(deviceChange, request.body);
    request.subject = { resourceType: "device", resourceId: deviceId, details: { locked } };
    return reply.send(deviceJson(await devices.lockDevice(deviceId, locked)));
  });
  app.delete<Named>(`${PATH}/:device_id`, access, async (request, reply) => {
    const { device_id: deviceId } = await ownDevice(request.caller, request.params.device_id);
    request.subject = { resourceType: "device", resourceId: deviceId };
    await devices.deleteDevice(deviceId);
    return reply.code(204).send();
  });
}

async function pending(devices: Identity["devices"], userCode: string): Promise<DeviceRow> {
  const found = await devices.findPendingDevice(userCode);
  if (found !== undefined) return found;
  throw notFound("No device waits with this code: look at it again; codes are good for five minutes.");
}

const deviceJson = (row: DeviceRow): Device => ({
  device_id: row.device_id,
  status: row.status,
  trusted: row.trusted,
  os: row.os,
  address: row.address,
  hostname: row.hostname,
  client_version: row.client_version,
  expires_at: row.expires_at,
  last_login_at: row.last_login_at,
  creation_timestamp: row.creation_timestamp,
});
