import { z } from "zod";
import { loginAccess } from "../../kernel/access.ts";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import { notFound, unauthenticated } from "../../kernel/errors.ts";
import {
  assertUnlimited,
  pageOfRows,
  type Comparable,
  type DeviceRow,
  type Identity,
} from "../../modules/identity/index.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { pageOf, readFlag, readListQuery } from "./page.ts";
import { deviceView, userView } from "./views.ts";

const columns = {
  id: "uuid",
  client_id: "uuid",
  status: "text",
  trusted_device: "boolean",
  created: "time",
  updated: "time",
  expires: "time",
  last_login: "time",
} as const;

const valueOf = (row: DeviceRow, column: keyof typeof columns): Comparable | null => {
  switch (column) {
    case "id":
      return row.device_id.replaceAll("-", "");
    case "client_id":
      return row.client_id.replaceAll("-", "");
    case "status":
      return row.status;
    case "trusted_device":
      return row.trusted;
    case "created":
      return row.creation_timestamp;
    case "updated":
      return row.last_updated_timestamp;
    case "expires":
      return row.expires_at;
    case "last_login":
      return row.last_login_at;
  }
};

const verification = z.object({ user_code: z.string().max(64), trusted_device: z.boolean().default(false) });
const update = z.object({ locked: z.boolean().nullish() });

/** Command lines that people let in. */
export function deviceEndpoints({
  devices,
  principals,
}: Pick<Identity, "devices" | "principals">): ZenmlEndpoint[] {
  const show = async (row: DeviceRow, caller: Caller, hydrate: boolean): Promise<object> => {
    const id = row.principal_id;
    const owner = id === null ? undefined : await principals.findPrincipal({ principalId: id });
    const isOwn = caller.principal?.principalId === id;
    const user =
      owner === undefined
        ? undefined
        : { uuid: owner.uuid, view: userView(owner, { hydrate: false, showsEmail: isOwn }) };
    return deviceView(row, { hydrate, user });
  };

  /** Of the caller, or of anybody for an administrator. */
  const find = async (deviceId: string, caller: Caller): Promise<DeviceRow> => {
    const device = await devices.getDevice(readUuid(deviceId, "device_id"));
    const isOwn = device.principal_id !== null && device.principal_id === caller.principal?.principalId;
    if (isOwn || isPlatformAdmin(caller)) return device;
    throw notFound("There is no such device.");
  };

  return [
    endpoint({
      method: "GET",
      path: "/devices",
      access: loginAccess,
      async handle({ query, request: { caller } }) {
        const wanted = readListQuery(query, columns);
        const { principal } = caller;
        const own = principal === undefined ? [] : await devices.listDevices(principal.principalId);
        const { total, rows } = pageOfRows(own, wanted, valueOf);
        const items = await Promise.all(rows.map((row) => show(row, caller, wanted.hydrate)));
        return pageOf(wanted, { total, items });
      },
    }),
    endpoint({
      method: "GET",
      path: "/devices/:device_id",
      access: loginAccess,
      async handle({ path, query, request: { caller } }) {
        const code = query["user_code"];
        const deviceId = path["device_id"] ?? "";
        // Whoever has the code may see what asks to be let in.
        const device =
          code === undefined
            ? await find(deviceId, caller)
            : await devices.checkUserCode(readUuid(deviceId, "device_id"), code);
        return show(device, caller, readFlag(query, "hydrate", true));
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
        const device = await devices.verifyDevice(deviceId, body.user_code, { by, trusted });
        return show(device, caller, true);
      },
    }),
  ];
}

const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

export const isUuid = (text: string): boolean => UUID.test(text);

export function readUuid(text: string, name: string): string {
  if (isUuid(text)) return text.toLowerCase();
  throw invalidRequest([{ type: "uuid_parsing", loc: ["path", name], msg: "Input should be a valid UUID" }]);
}
