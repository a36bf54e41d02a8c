import { z } from "zod";
import { loginAccess } from "../../kernel/access.ts";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import {
  invalidParameter,
  notFound,
  PlinthError,
  unauthenticated,
  type ErrorCode,
} from "../../kernel/errors.ts";
import { assertUnlimited, type DeviceRow } from "../../modules/identity/index.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { flag } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";
import { deviceView, userView } from "./views.ts";

const verification = z.object({ user_code: z.string().max(64), trusted_device: flag.default(false) });
const update = z.object({ locked: flag.nullish() });

/** Command lines that people let in. */
export function deviceEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { devices, principals } = context.identity;

  const show = async (row: DeviceRow, caller: Caller, hydrate: boolean): Promise<object> => {
    const id = row.principal_id;
    const owner = id === null ? undefined : await principals.findPrincipal({ principalId: id });
    const user =
      owner === undefined ? undefined : { uuid: owner.uuid, view: userView(owner, { hydrate: false }) };
    return deviceView(row, { hydrate, user });
  };

  /** Of the caller, or of anybody for an administrator. */
  const find = async (deviceId: string, caller: Caller): Promise<DeviceRow> => {
    const device = await devices.getDevice(readUuid(deviceId, "device_id"));
    const isOwn = device.principal_id !== null && device.principal_id === caller.principal?.principalId;
    // What nobody has let in yet is shown to who has its code.
    if (isOwn || (device.principal_id !== null && isPlatformAdmin(caller))) return device;
    throw notFound("There is no such device.");
  };

  return [
    endpoint({
      method: "GET",
      path: "/devices",
      access: loginAccess,
      async handle(call) {
        const { caller } = call.request;
        const principalId = caller.principal?.principalId ?? 0;
        const list = context.pipelines.accountLists.devicesOf(principalId);
        const query = context.listQuery(call, list.fields);
        const { total, ids } = await list.search(query);
        const own = new Map((await devices.listDevices(principalId)).map((row) => [row.device_id, row]));
        const rows = ids.flatMap((id) => own.get(id) ?? []);
        const items = await Promise.all(rows.map((row) => show(row, caller, query.hydrate)));
        return pageOf(query, { total, items });
      },
    }),
    endpoint({
      method: "GET",
      path: "/devices/:device_id",
      access: loginAccess,
      async handle({ path, query, parameters, request: { caller } }) {
        const code = query["user_code"];
        const deviceId = path["device_id"] ?? "";
        // Whoever has the code may see what asks to be let in.
        const device =
          code === undefined
            ? await find(deviceId, caller)
            : await devices.checkUserCode(readUuid(deviceId, "device_id"), code).catch((error: unknown) => {
                throw isOf(error, "invalid_parameter") ? notFound(error.message) : error;
              });
        return show(device, caller, readFlag(parameters, "hydrate", true));
      },
    }),
    endpoint({
      method: "PUT",
      path: "/devices/:device_id",
      access: loginAccess,
      body: update,
      async handle({ path, body, request }) {
        const { caller } = request;
        assertUnlimited(caller);
        const device = await find(path["device_id"] ?? "", caller);
        request.subject = { resourceType: "device", resourceId: device.device_id };
        const { locked } = body;
        const changed =
          typeof locked === "boolean" ? await devices.lockDevice(device.device_id, locked) : device;
        return show(changed, caller, true);
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/devices/:device_id",
      access: loginAccess,
      async handle({ path, request }) {
        const { caller } = request;
        assertUnlimited(caller);
        const device = await find(path["device_id"] ?? "", caller);
        request.subject = { resourceType: "device", resourceId: device.device_id };
        await devices.deleteDevice(device.device_id);
        return null;
      },
    }),
    endpoint({
      method: "PUT",
      path: "/devices/:device_id/verify",
      access: loginAccess,
      body: verification,
      async handle({ path, body, request }) {
        const { caller } = request;
        assertUnlimited(caller);
        const { principal: by } = caller;
        if (by === undefined) throw unauthenticated();
        const deviceId = readUuid(path["device_id"] ?? "", "device_id");
        const trusted = body.trusted_device;
        request.subject = { resourceType: "device", resourceId: deviceId, details: { trusted } };
        const device = await devices
          .verifyDevice(deviceId, body.user_code, { by, trusted })
          .catch(async (error: unknown) => {
            if (!isOf(error, "not_found")) throw error;
            await devices.getDevice(deviceId);
            throw invalidParameter(error.message);
          });
        return show(device, caller, true);
      },
    }),
  ];
}

const isOf = (error: unknown, code: ErrorCode): error is PlinthError =>
  error instanceof PlinthError && error.code === code;

const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

export const isUuid = (text: string): boolean => UUID.test(text);

export function readUuid(text: string, name: string): string {
  if (isUuid(text)) return text.toLowerCase();
  throw invalidRequest([{ type: "uuid_parsing", loc: ["path", name], msg: "Input should be a valid UUID" }]);
}
